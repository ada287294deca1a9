//! A temporary folder with a case in it, and what tests ask of a case.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use embley_store::{Access, Case};
use embley_testkit::dump::dump_case;
use serde_json::Value;
use tempfile::TempDir;

use crate::files;
use crate::program::{Program, Ran};

/// See the module.
pub struct Site {
    folder: TempDir,
    case: PathBuf,
}

impl Site {
    /// A folder without a case.
    pub fn bare() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("embley-")
            .tempdir()
            .expect("a temporary folder");
        // Other users must get at it in the tests of permissions.
        files::chmod(folder.path(), 0o755);
        let case = folder.path().join("case");
        Self { folder, case }
    }

    /// A folder with an empty case.
    pub fn new() -> Self {
        let site = Self::bare();
        site.init();
        site
    }

    /// Makes the case.
    pub fn init(&self) {
        Program::new(&[
            OsStr::new("init"),
            self.case.as_os_str(),
            OsStr::new("--name"),
            OsStr::new("Test"),
        ])
        .run()
        .expect(0);
    }

    /// The temporary folder.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A path in the temporary folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The case folder.
    pub fn case(&self) -> &Path {
        &self.case
    }

    /// A copy of the case beside it, as a site of its own.
    pub fn copy(&self) -> Self {
        let other = Self::bare();
        files::copy_folder(&self.case, &other.case);
        other
    }

    /// A command on the case.
    pub fn program<A: AsRef<OsStr>>(&self, args: &[A]) -> Program {
        let mut all = vec![OsStr::new("--case"), self.case.as_os_str()];
        all.extend(args.iter().map(AsRef::as_ref));
        Program::new(&all)
    }

    /// Runs a command on the case.
    pub fn run<A: AsRef<OsStr>>(&self, args: &[A]) -> Ran {
        self.program(args).run()
    }

    /// Runs a command that must end with 0.
    #[track_caller]
    pub fn ok<A: AsRef<OsStr>>(&self, args: &[A]) -> Ran {
        self.run(args).expect(0)
    }

    /// Takes sources in without a word of progress; more options may follow the sources.
    pub fn ingest<A: AsRef<OsStr>>(&self, args: &[A]) -> Ran {
        self.ingest_program(args).run()
    }

    /// The same, not yet run.
    pub fn ingest_program<A: AsRef<OsStr>>(&self, args: &[A]) -> Program {
        let mut all = vec![OsStr::new("ingest"), OsStr::new("--progress"), OsStr::new("none")];
        all.extend(args.iter().map(AsRef::as_ref));
        self.program(&all)
    }

    /// Number of hits of a query.
    #[track_caller]
    pub fn count(&self, query: &str) -> u64 {
        let ran = self.run(&["search", "--count", "--", query]);
        assert!(matches!(ran.code, Some(0 | 1)), "{query}: {ran:?}");
        let count = ran.text().trim().parse().expect("--count prints one integer");
        assert_eq!(
            ran.code == Some(1),
            count == 0,
            "{query}: the exit code says whether there are hits"
        );
        count
    }

    /// All hits of a query, without scores and snippets unless asked for.
    #[track_caller]
    pub fn hits(&self, query: &str) -> Vec<Value> {
        let ran = self.run(&["search", "--all", "--no-snippets", "--format", "jsonl", "--", query]);
        assert!(matches!(ran.code, Some(0 | 1)), "{query}: {ran:?}");
        ran.lines()
    }

    /// `status` as JSON.
    #[track_caller]
    pub fn status(&self) -> Value {
        self.ok(&["status", "--format", "json"]).json()
    }

    /// The last run of `status`.
    #[track_caller]
    pub fn last_run(&self) -> Value {
        let status = self.status();
        status["runs"]
            .as_array()
            .and_then(|runs| runs.last())
            .cloned()
            .expect("a run")
    }

    /// The whole case as canonical text.
    pub fn dump(&self) -> String {
        let case = Case::open(&self.case, Access::Read).expect("the case opens");
        dump_case(&case).expect("the case can be read")
    }

    /// The sections of the canonical text after the runs: what the case says about evidence, however many runs it took.
    pub fn dump_of_evidence(&self) -> String {
        let all = self.dump();
        let at = all.find("# files").expect("the dump has files");
        all[at..].to_owned()
    }

    /// Everything a user can list about the evidence: hits with all their fields, exceptions, places.
    pub fn answers(&self) -> String {
        let mut all = String::new();
        for query in ["*", "custodian:* AND type:email", "has:defect"] {
            let ran = self.run(&["search", "--all", "--no-snippets", "--format", "jsonl", "--", query]);
            assert!(matches!(ran.code, Some(0 | 1)), "{query}: {ran:?}");
            all.push_str(ran.text());
        }
        let facets = self.run(&[
            "search",
            "--limit",
            "0",
            "--facets",
            "custodian,type,year",
            "--format",
            "json",
            "--",
            "*",
        ]);
        all.push_str(facets.text());
        all.push_str(self.ok(&["exceptions", "--all", "--format", "jsonl"]).text());
        all
    }
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

/// Panics with the first line that differs.
#[track_caller]
pub fn same_text(what: &str, one: &str, other: &str) {
    if one == other {
        return;
    }
    let mut others = other.lines();
    for (number, line) in one.lines().enumerate() {
        let against = others.next();
        assert!(
            against == Some(line),
            "{what}: line {} differs\n  {line}\nand\n  {}",
            number + 1,
            against.unwrap_or("(nothing)")
        );
    }
    panic!("{what}: the second has more lines, first {:?}", others.next());
}
