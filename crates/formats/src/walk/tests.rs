//! The walk over folders made for each test.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

struct Tree(tempfile::TempDir);

impl Tree {
    fn new(files: &[&str]) -> Self {
        let tree = Self(tempfile::tempdir().expect("a temporary folder"));
        for file in files {
            let path = tree.path(file);
            if file.ends_with('/') {
                fs::create_dir_all(&path).expect("a folder");
            } else {
                fs::create_dir_all(path.parent().expect("has a parent")).expect("a folder");
                fs::write(&path, file.as_bytes()).expect("a file");
            }
        }
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn walk(&self, options: &WalkOptions) -> Vec<String> {
        walk(self.0.path(), options).map(|found| line(&found)).collect()
    }
}

fn line(found: &Walked) -> String {
    match found {
        Walked::File(file) => match &file.place {
            Place::Loose => format!("{} {}", file.rel.display(), file.stat.size),
            Place::Maildir { folder, flags, is_new } => {
                let new = if *is_new { " new" } else { "" };
                format!("{} [{folder}] ({flags}){new}", file.rel.display())
            }
        },
        Walked::Excluded { rel, reason, .. } => format!("{} excluded {}", rel.display(), reason.word()),
        Walked::Problem { rel, defect } => format!("{} {} {}", rel.display(), defect.code.text(), defect.detail),
    }
}

#[test]
fn names_come_by_raw_bytes_at_each_level() {
    let tree = Tree::new(&["b/z", "b.x", "a", "B/y", "b/c/d", "ä", "b-", "empty/"]);
    let expected = ["B/y 3", "a 1", "b/c/d 5", "b/z 3", "b- 2", "b.x 3", "ä 2"];
    // `b` is less than `b-`: the comparison is of names, not of whole paths.
    assert_eq!(tree.walk(&WalkOptions::default()), expected);
}

#[test]
fn a_file_as_root_comes_with_an_empty_path() {
    let tree = Tree::new(&["a"]);
    let found: Vec<_> = walk(&tree.path("a"), &WalkOptions::default()).collect();
    let [Walked::File(file)] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (file.rel.as_path(), file.absolute.as_path()),
        (Path::new(""), tree.path("a").as_path())
    );
    let found: Vec<_> = walk(&tree.path("absent"), &WalkOptions::default())
        .map(|found| line(&found))
        .collect();
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("SRC-UNREADABLE"), "{found:?}");
}

#[test]
fn maildirs_are_recognised_and_tmp_is_counted() {
    let tree = Tree::new(&[
        "john/cur/1:2,FS",
        "john/new/2",
        "john/tmp/3",
        "john/.A.B/cur/4;2,R",
        "john/.A.B/new/",
        "john/dovecot-uidlist",
        "lists/sent/cur/5!2,",
        "lists/sent/tmp/",
        "copied/box/cur/6:2,S",
        "plain/cur/7",
    ]);
    let expected = [
        "copied/box/cur/6:2,S [box] (S)",
        "john/.A.B/cur/4;2,R [A/B] (R)",
        "john/cur/1:2,FS [INBOX] (FS)",
        "john/dovecot-uidlist 20",
        "john/new/2 [INBOX] () new",
        "john/tmp/3 excluded maildir-tmp",
        "lists/sent/cur/5!2, [sent] ()",
        "plain/cur/7 11",
    ];
    assert_eq!(tree.walk(&WalkOptions::default()), expected);
}

#[test]
fn what_is_excluded_is_counted_with_all_below_it() {
    let tree = Tree::new(&["keep/a", "drop/a", "drop/b/c", "x.tmp", "keep/y.tmp"]);
    symlink("nowhere", tree.path("drop/dangling")).expect("a link");
    let options = WalkOptions {
        exclude: vec!["drop".into(), "*.tmp".into()],
        ..WalkOptions::default()
    };
    let expected = [
        "drop/a excluded pattern",
        "drop/b/c excluded pattern",
        "drop/dangling excluded pattern",
        "keep/a 6",
        "keep/y.tmp excluded pattern",
        "x.tmp excluded pattern",
    ];
    assert_eq!(tree.walk(&options), expected);
}

#[test]
fn links_lead_to_files_and_folders_and_never_round_in_circles() {
    let tree = Tree::new(&["d/a", "e/"]);
    symlink("a", tree.path("d/b")).expect("a link");
    symlink("..", tree.path("d/up")).expect("a link");
    symlink("../d", tree.path("e/there")).expect("a link");
    symlink("self", tree.path("self")).expect("a link");
    symlink("absent", tree.path("void")).expect("a link");
    let expected = [
        "d/a 3",
        "d/b 3",
        "d/up SRC-LINK-LOOP ",
        "e/there/a 3",
        "e/there/b 3",
        "e/there/up SRC-LINK-LOOP ",
        "self SRC-LINK-LOOP a link that leads to itself",
        "void SRC-SPECIAL-FILE a link that leads nowhere",
    ];
    assert_eq!(tree.walk(&WalkOptions::default()), expected);
    let options = WalkOptions {
        follow_links: false,
        ..WalkOptions::default()
    };
    let expected = [
        "d/a 3",
        "d/b excluded link",
        "d/up excluded link",
        "e/there excluded link",
        "self excluded link",
        "void excluded link",
    ];
    assert_eq!(tree.walk(&options), expected);
}

#[test]
fn pipes_and_folders_without_permission_are_problems() {
    let tree = Tree::new(&["shut/a", "z"]);
    rustix::fs::mknodat(CWD, tree.path("pipe"), FileType::Fifo, Mode::RUSR, 0).expect("a pipe");
    fs::set_permissions(tree.path("shut"), fs::Permissions::from_mode(0o000)).expect("permissions");
    let lines = tree.walk(&WalkOptions::default());
    fs::set_permissions(tree.path("shut"), fs::Permissions::from_mode(0o700)).expect("permissions");
    assert_eq!(lines[0], "pipe SRC-SPECIAL-FILE a pipe");
    // The superuser may read everything.
    let privileged = lines[1] == "shut/a 6";
    assert!(privileged || lines[1].starts_with("shut SRC-UNREADABLE "), "{lines:?}");
    assert_eq!(lines[2], "z 1");
}

#[test]
fn a_deep_tree_needs_neither_stack_nor_open_files() {
    let tree = Tree::new(&[]);
    let mut folder = tree.path("");
    for _ in 0..300 {
        folder.push("d");
    }
    fs::create_dir_all(&folder).expect("folders");
    fs::write(folder.join("bottom"), b"x").expect("a file");
    for level in [10, 100, 200] {
        let mut at = tree.path("");
        at.extend(std::iter::repeat_n("d", level));
        fs::write(at.join("z"), b"x").expect("a file");
    }
    let lines = tree.walk(&WalkOptions::default());
    assert_eq!(lines.len(), 4);
    assert!(lines[0].contains("bottom"));
}
