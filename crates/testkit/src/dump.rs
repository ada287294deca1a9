//! A whole case as canonical text: two cases that say the same about the evidence give the same text, however they came about.
//!
//! Left out on purpose: where bytes stand in packs, times and settings of runs, inodes and change times of files, checkpoints.

use std::fmt::Write as _;

use embley_model::id::{InstanceId, ItemNo};
use embley_store::catalogue::{BlobPlaceRow, CatalogueReader, InstanceRow, ItemRow, SetKind};
use embley_store::{Case, Result, StoreError};

/// The text. Sections begin with `#`.
///
/// # Errors
/// When the case cannot be read.
pub fn dump_case(case: &Case) -> Result<String> {
    let reader = case.reader()?;
    let mut out = String::new();
    runs_and_sources(&reader, &mut out)?;
    files(&reader, &mut out)?;
    line(&mut out, format_args!("# items"));
    reader.for_each_item(ItemNo(0)..ItemNo(u32::MAX), |item| item_lines(&reader, &item, &mut out))?;
    line(&mut out, format_args!("# instances"));
    reader.for_each_instance(InstanceId(0)..InstanceId(u64::MAX >> 1), |row| {
        instance_line(&row, &mut out);
        Ok::<_, StoreError>(())
    })?;
    line(&mut out, format_args!("# exceptions"));
    for row in reader.exceptions(None)? {
        line(
            &mut out,
            format_args!(
                "{} {} {} {:?} {:?} {:?} {} | {}",
                row.run_no,
                row.path,
                row.code.text(),
                row.phase,
                row.class,
                row.range,
                row.detail,
                row.action
            ),
        );
    }
    line(&mut out, format_args!("# sets"));
    for kind in SetKind::ALL {
        for key in reader.set_keys(*kind)? {
            let items: Vec<u32> = reader.set(*kind, &key)?.iter().collect();
            line(&mut out, format_args!("{} {key:?} {}", kind.word(), ranges(&items)));
        }
    }
    Ok(out)
}

fn runs_and_sources(reader: &CatalogueReader, out: &mut String) -> Result<()> {
    line(out, format_args!("# runs"));
    for run in reader.runs()? {
        line(
            out,
            format_args!("run {} {} {}", run.run_no, run.kind.word(), run.state.word()),
        );
        for tally in reader.tallies(run.run_no)? {
            line(out, format_args!("  {tally:?}"));
        }
    }
    line(out, format_args!("# custodians and sources"));
    for row in reader.custodians()? {
        line(out, format_args!("custodian {} {:?}", row.custodian_id.0, row.name));
    }
    for row in reader.sources()? {
        let custodian = row.custodian_id.map(|id| id.0);
        line(
            out,
            format_args!(
                "source {} {:?} {custodian:?} {} run {}",
                row.source_id, row.label, row.custodian_rule, row.run_no
            ),
        );
    }
    Ok(())
}

fn files(reader: &CatalogueReader, out: &mut String) -> Result<()> {
    line(out, format_args!("# files"));
    reader.for_each_file(|row| {
        let path = reader.shown_path(row.file_id)?;
        line(out, format_args!(
            "file {} {path:?} version {} {} bytes kind {} variant {} flags {:?} {} instances {}+{} ranges {}/{}/{} before {:?} absent {:?} \
             custodian {:?} scan {:?} run {}",
            row.file_id, row.version, row.size, row.kind, row.variant, row.flags, row.state.word(), row.first_instance,
            row.instance_count, row.message_bytes, row.separator_bytes, row.junk_bytes, row.previous_file,
            row.absent_since_run, row.custodian_id.map(|id| id.0), row.scan_state, row.run_no
        ));
        Ok::<_, StoreError>(())
    })
}

fn item_lines(reader: &CatalogueReader, item: &ItemRow, out: &mut String) -> Result<()> {
    let blob = reader.blob(item.blob_id)?.ok_or_else(|| StoreError::NotFound {
        what: format!("blob {}", item.blob_id),
    })?;
    let place = match &blob.place {
        BlobPlaceRow::Pack { .. } => "packed".to_owned(),
        BlobPlaceRow::Source { file_id } => format!("referenced in file {file_id}"),
        BlobPlaceRow::Derived { root_item, part_path } => format!("derived from {root_item} part {part_path}"),
    };
    line(
        out,
        format_args!(
            "item {} blob {} {} sha256 {} {place} top {:?}",
            item.item_no, item.blob_id, blob.blake3, blob.sha256, blob.top_item
        ),
    );
    line(out, format_args!("  {item:?}"));
    for defect in reader.defects(item.item_no)? {
        line(
            out,
            format_args!("  defect {} {:?} {}", defect.code.text(), defect.range, defect.detail),
        );
    }
    Ok(())
}

fn instance_line(row: &InstanceRow, out: &mut String) {
    line(out, format_args!("{row:?}"));
}

/// Numbers as runs: `1-5 8 10-12`.
fn ranges(items: &[u32]) -> String {
    let mut out = String::new();
    let mut at = 0;
    while at < items.len() {
        let first = items[at];
        let mut last = first;
        while at + 1 < items.len() && items[at + 1] == last + 1 {
            at += 1;
            last = items[at];
        }
        at += 1;
        let gap = if out.is_empty() { "" } else { " " };
        if first == last {
            line_part(&mut out, format_args!("{gap}{first}"));
        } else {
            line_part(&mut out, format_args!("{gap}{first}-{last}"));
        }
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    line_part(out, text);
    out.push('\n');
}

fn line_part(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    if out.write_fmt(text).is_err() {
        out.push_str("[cannot be formatted]");
    }
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn numbers_print_as_runs() {
        assert_eq!(ranges(&[]), "");
        assert_eq!(ranges(&[1, 2, 3, 7, 9, 10]), "1-3 7 9-10");
    }
}
