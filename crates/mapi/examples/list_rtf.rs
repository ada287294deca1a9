//! Prints what rich-text documents say: `list_rtf FILE...`.

#![expect(clippy::print_stdout, reason = "an example for people")]

fn main() -> std::io::Result<()> {
    for path in std::env::args().skip(1) {
        let rtf = embley_mapi::rtf::read(&std::fs::read(&path)?);
        println!(
            "== {path}: {:?}, {} characters, {:?}",
            rtf.encapsulated,
            rtf.text.chars().count(),
            rtf.info
        );
        for object in &rtf.objects {
            println!(
                "   object {:?} {:?} {} bytes",
                object.kind,
                object.name,
                object.bytes.len()
            );
        }
        println!("   links {:?}; defects {:?}", rtf.links, rtf.defects);
        println!("{}", rtf.html.as_ref().unwrap_or(&rtf.text));
    }
    Ok(())
}
