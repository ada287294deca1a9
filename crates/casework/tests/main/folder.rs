//! A case folder for a test, and what the tests do with it.

use std::path::PathBuf;
use std::sync::Arc;

use embley_casework::import::{ImportReport, ImportRequest, import_into};
use embley_casework::links::{LinkCases, LinkSummary};
use embley_casework::timeline::{Ask, Sources, Timeline, timeline};
use embley_casework::{Mapping, zone_of};
use embley_ingest::{CustodianRule, IngestOptions, IngestRequest, SourceSpec};
use embley_model::clock::FixedClock;
use embley_search::Searcher;
use embley_store::{Access, Case, Holder, InitOptions};

/// 2024-01-01T00:00:00Z.
const NOW_MICROS: i64 = 1_704_067_200_000_000;

/// A case folder and a folder for its sources.
pub(crate) struct Folder {
    temp: tempfile::TempDir,
    options: IngestOptions,
}

impl Folder {
    /// An empty case.
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().expect("a folder is made");
        let init = InitOptions {
            name: "test".to_owned(),
            reference: String::new(),
            zone: String::new(),
            at_micros: NOW_MICROS,
        };
        Case::init(&temp.path().join("case"), &init).expect("the case is made");
        let mut options = IngestOptions::new(2, Arc::new(FixedClock(NOW_MICROS)));
        options.memory_bytes = 256 << 20;
        Self { temp, options }
    }

    /// Opens it.
    pub(crate) fn open(&self, access: Access) -> Case {
        Case::open(&self.temp.path().join("case"), access).expect("the case opens")
    }

    fn open_to_write(&self, what: &str) -> Case {
        self.open(Access::Write(Holder {
            what: what.to_owned(),
            since_micros: NOW_MICROS,
        }))
    }

    /// Writes a file beside the case.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.temp.path().join(name);
        #[expect(clippy::disallowed_methods, reason = "a sample beside the case")]
        std::fs::write(&path, text).expect("the sample is written");
        path
    }

    /// Takes a mailbox in; the number of new entries.
    pub(crate) fn ingest(&self, name: &str, mailbox: &str) -> u64 {
        self.ingest_of("Lee", name, mailbox)
    }

    /// Takes in a mailbox of somebody; the number of new entries.
    pub(crate) fn ingest_of(&self, custodian: &str, name: &str, mailbox: &str) -> u64 {
        let path = self.file(name, mailbox);
        let request = IngestRequest {
            sources: vec![SourceSpec {
                path,
                label: name.to_owned(),
                custodian: CustodianRule::Named(custodian.to_owned()),
            }],
            exclude: Vec::new(),
            known_hashes: Vec::new(),
            rehash: false,
            reassign: false,
            keep_containers: false,
            ocr: false,
            retry: None,
        };
        let case = self.open_to_write("ingest");
        let report = embley_ingest::run(&case, &request, &self.options, &[&LinkCases]).expect("the ingest works");
        report.sums.new
    }

    /// Imports records.
    pub(crate) fn import(&self, name: &str, text: &str) -> (ImportReport, LinkSummary) {
        let path = self.file(name, text);
        let case = self.open_to_write("records import");
        let zone = zone_of(&case).expect("the zone is known");
        let mapping = Mapping::canonical().expect("the shipped map is right");
        let request = ImportRequest::new(&path, &mapping, "ann", &zone);
        import_into(&case, &self.options, &request).expect("the import works")
    }

    /// Makes the index again from the store.
    pub(crate) fn reindex(&self) {
        let case = self.open_to_write("reindex");
        embley_ingest::reindex(&case, &self.options).expect("the index is made again");
    }

    /// A searcher of the present state.
    pub(crate) fn searcher(&self) -> Searcher {
        Searcher::open(&self.open(Access::Read)).expect("the searcher opens")
    }

    /// The whole timeline of a case.
    pub(crate) fn timeline(&self, case_ref: &str) -> Timeline {
        timeline(Sources::of(&self.searcher()), &Ask::of(case_ref)).expect("the timeline is made")
    }

    /// Item numbers that a query finds.
    pub(crate) fn find(&self, query: &str) -> Vec<u32> {
        let searcher = self.searcher();
        let plan = searcher.plan(query).expect("the query is right");
        searcher.items(&plan).expect("the query runs").iter().collect()
    }
}
