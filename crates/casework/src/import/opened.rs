//! A file of records with everything that its rows need: input of the map, columns, joined files.

use crate::error::{CaseworkError, Result};
use crate::mapping::Input;
use crate::mapping::apply::Rules;
use crate::mapping::join::{self, Joined};
use crate::rows::{Cells, Layout, Rows};

use super::ImportRequest;
use super::read::How;
use super::report::ImportReport;

/// See the module.
pub(super) struct Opened<'a> {
    pub(super) rows: Rows,
    input: Option<&'a Input>,
    joined: Vec<Joined>,
}

impl<'a> Opened<'a> {
    pub(super) fn open(request: &ImportRequest<'a>) -> Result<Self> {
        let mapping = request.mapping;
        let input = mapping.input_for(request.path, request.input)?;
        let Some(input) = input else {
            let mut layout = Layout::canonical(request.record_type, mapping.list_separator);
            layout.sheet = request.sheet.map(str::to_owned);
            return Ok(Self {
                rows: Rows::open(request.path, &layout)?,
                input: None,
                joined: Vec::new(),
            });
        };
        if request.record_type.is_some() {
            return Err(CaseworkError::Request {
                detail: format!(
                    "field map \"{}\" says itself which records a row gives; leave --type out",
                    mapping.name
                ),
            });
        }
        let layout = Layout {
            cells: Some(Cells::Raw),
            sheet: request.sheet.map(str::to_owned).or_else(|| input.sheet.clone()),
            header_row: input.header_row,
        };
        Ok(Self {
            rows: Rows::open(request.path, &layout)?,
            input: Some(input),
            joined: join::load(input, mapping, request.path)?,
        })
    }

    /// How rows become records.
    pub(super) fn how<'s>(&'s self, request: &ImportRequest<'s>) -> How<'s>
    where
        'a: 's,
    {
        match self.input {
            None => How::Canonical,
            Some(input) => How::Mapped(Rules {
                map: request.mapping,
                input,
                joined: &self.joined,
            }),
        }
    }

    /// The map and its input as reports and run records name them.
    pub(super) fn mapping_label(&self, request: &ImportRequest<'_>) -> String {
        match self.input {
            None => request.mapping.name.clone(),
            Some(input) => format!("{}/{}", request.mapping.name, input.name),
        }
    }

    /// Notes which columns are read and which are not.
    pub(super) fn note_columns(&self, report: &mut ImportReport) {
        let Some(input) = self.input else {
            return;
        };
        report.joins = join::states(input, &self.joined);
        let (there, read) = (self.rows.columns(), input.columns());
        if there.is_empty() {
            return;
        }
        let unread = there.iter().filter(|column| !read.contains(&column.as_str()));
        report.unmapped_columns = unread.cloned().collect();
        let missing = read.iter().filter(|column| !there.iter().any(|one| one == *column));
        report.missing_columns = missing.map(|column| (*column).to_owned()).collect();
    }

    /// The input of the map.
    pub(super) fn input(&self) -> Option<&'a Input> {
        self.input
    }
}
