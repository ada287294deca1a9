//! The timeline's page in a real browser: Debian's chromium, headless, over the worked example and over hostile mail.
//!
//! The browser opens a file and can reach nothing else. Without chromium the tests that need it say so and pass, except under `EMBLEY_SLOW=1`, where a
//! missing browser fails. `EMBLEY_SHOTS=DIR` keeps the pictures.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use embley_corpus::{ExampleConfig, TemplateChoice, write_example};
use embley_tests::{Site, files};

/// The browser; nothing, and a line that says so, where it is not installed.
fn browser() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders)
        .map(|folder| folder.join("chromium"))
        .find(|path| path.is_file());
    if found.is_none() {
        assert!(
            std::env::var_os("EMBLEY_SLOW").is_none(),
            "chromium is not installed: apt-get install -y --no-install-recommends chromium"
        );
        let said = writeln!(std::io::stderr(), "NOT RUN in a browser: chromium is not installed");
        said.expect("stderr can be written");
    }
    found
}

/// What a browser made of a page.
struct Seen {
    /// The tree as it stands after loading.
    dom: String,
    /// What the browser said of the page: refusals of its policy, errors of scripts.
    console: Vec<String>,
}

/// Runs the browser with a profile of its own.
fn run(browser: &Path, profile: &Path, args: &[&str]) -> (String, String) {
    let output = Command::new(browser)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--hide-scrollbars",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--host-resolver-rules=MAP * ~NOTFOUND",
        ])
        .args(["--enable-logging=stderr", "--v=0", "--timeout=30000"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .env("HOME", profile)
        .args(args)
        .output()
        .expect("the browser starts");
    assert!(
        output.status.success(),
        "{:?}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

fn look(browser: &Path, site: &Site, page: &Path) -> Seen {
    let url = format!("file://{}", page.display());
    let (dom, said) = run(browser, &site.path("profile"), &["--dump-dom", &url]);
    let console = said
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .map(str::to_owned)
        .collect();
    Seen { dom, console }
}

/// Takes a picture and gives its width and height, from the header of the PNG.
fn shoot(browser: &Path, site: &Site, page: &Path, name: &str, more: &[&str]) -> (u32, u32) {
    let url = format!("file://{}", page.display());
    let folder = std::env::var_os("EMBLEY_SHOTS").map_or_else(|| site.root().to_owned(), PathBuf::from);
    let shot = folder.join(name);
    let to = format!("--screenshot={}", shot.display());
    let mut args = vec![to.as_str(), "--window-size=1400,1700"];
    args.extend(more);
    args.push(&url);
    run(browser, &site.path("profile"), &args);
    let png = std::fs::read(&shot).expect("the picture is there");
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    assert!(png.len() > 20_000, "{name}: {} bytes show next to nothing", png.len());
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
    (number(16), number(20))
}

fn times(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

/// The case of the example that has most entries among those with a mark.
fn example(site: &Site) -> String {
    let folder = site.path("example");
    let config = ExampleConfig {
        seed: 7,
        templates: TemplateChoice::Both,
    };
    let truth = write_example(&folder, &config).expect("the example is made");
    for system in ["tribune-like", "centurion-like"] {
        let file = folder.join(format!("records/{system}.jsonl"));
        site.ok(&["records".as_ref(), "import".as_ref(), file.as_os_str()]);
    }
    let mail = folder.join("mail");
    site.ingest(&[mail.as_os_str(), "--custodian-from-path".as_ref(), "1".as_ref()])
        .expect(0);
    assert!(truth.cases.len() > 30);
    let weight = |case_ref: &String| {
        let made = site.ok(&["timeline", case_ref, "--format", "json"]).json();
        let count = |name: &str| made[name].as_array().map_or(0, Vec::len);
        (count("marks").min(1), count("entries"))
    };
    let all = truth.cases.iter().map(|case| case.case_ref.clone());
    all.max_by_key(weight).expect("there are cases")
}

#[test]
fn the_page_of_the_worked_example_stands_in_a_browser() {
    let site = Site::new();
    let case_ref = example(&site);
    let page = site.path("timeline.html");
    let made = site
        .ok(&[
            "timeline".as_ref(),
            case_ref.as_ref(),
            "--format".as_ref(),
            "json".as_ref(),
            "--html".as_ref(),
            page.as_os_str(),
        ])
        .json();
    let (entries, marks) = (
        made["entries"].as_array().expect("entries"),
        made["marks"].as_array().expect("marks"),
    );
    assert!(
        entries.len() > 20 && !marks.is_empty(),
        "{case_ref}: {} entries, {} marks",
        entries.len(),
        marks.len()
    );
    let again = site.run(&[
        "timeline".as_ref(),
        case_ref.as_ref(),
        "--html".as_ref(),
        page.as_os_str(),
    ]);
    again.expect(2).says(&["is there already"]);
    let text = site.ok(&["timeline", &case_ref, "--format", "html"]).text().to_owned();
    assert!(text.starts_with("<!doctype html>") && text.ends_with("</html>\n"));
    let linked = entries
        .iter()
        .filter(|entry| entry["twins"].as_array().is_some_and(|twins| !twins.is_empty()));
    assert!(linked.count() > 0, "no document on record is shown with its attachment");

    let Some(browser) = browser() else { return };
    let seen = look(&browser, &site, &page);
    assert_eq!(seen.console, Vec::<String>::new());
    assert_eq!(times(&seen.dom, "<tr id=\"e"), entries.len());
    assert_eq!(times(&seen.dom, "<tr id=\"m"), marks.len());
    assert_eq!(times(&seen.dom, "<script"), 0);
    let drawn: usize = seen
        .dom
        .split("data-count=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next()?.parse::<usize>().ok())
        .sum();
    let bars = times(&seen.dom, "data-kind=\"role\"");
    let kind = |wanted: &str| entries.iter().filter(|entry| entry["kind"] == wanted).count();
    assert_eq!(bars, made["roles"].as_array().map_or(0, Vec::len));
    let of_bars = entries
        .iter()
        .filter(|entry| (entry["kind"] == "role-start" || entry["kind"] == "role-end") && !entry["date"].is_null());
    assert_eq!(drawn + of_bars.count(), entries.len(), "every entry is drawn once");
    assert!(kind("decision") > 0 && kind("email") > 0, "{case_ref}");
    for name in ["light", "dark"] {
        let more: &[&str] = match name {
            "dark" => &[
                "--force-dark-mode",
                "--enable-features=WebContentsForceDark:inversion_method/none",
            ],
            _ => &[],
        };
        let (width, height) = shoot(&browser, &site, &page, &format!("timeline-{name}.png"), more);
        assert!(width == 1400 && height > 1500, "{width} x {height}");
    }
    let pdf = site.path("timeline.pdf");
    let to = format!("--print-to-pdf={}", pdf.display());
    run(
        &browser,
        &site.path("profile"),
        &[&to, "--no-pdf-header-footer", &format!("file://{}", page.display())],
    );
    assert!(std::fs::read(&pdf).expect("the print is there").starts_with(b"%PDF-"));
}

/// Mail and records whose texts try to be markup, script or style of the page.
#[test]
fn hostile_text_stays_text_in_a_browser() {
    let Some(browser) = browser() else { return };
    let site = Site::new();
    let bad = "</title></svg></style><script>document.title='owned'</script><img src=x onerror=alert(1)><style>*{display:none}</style>";
    let mail = format!(
        "Message-ID: <1@x.example>\nDate: Mon, 6 Jan 2020 10:00:00 +0000\nFrom: \"{bad}\" <a@x.example>\nTo: b@x.example\nSubject: X/1 {bad}\n\nabout X/1\n"
    );
    files::write(&site.path("bad.eml"), mail);
    site.ingest(&[site.path("bad.eml")]).expect(0);
    let record = serde_json::json!({"record_type": "case", "source_system": bad, "record_id": "1", "case_ref": "X/1", "opened_at": "2020-01-01"});
    let role = serde_json::json!({"record_type": "role_appointment", "source_system": "t", "record_id": bad, "case_ref": "X/1", "person_id": bad,
        "role": bad, "appointed_at": "2020-01-02"});
    files::write(&site.path("bad.jsonl"), format!("{record}\n{role}\n"));
    site.ok(&[
        "records".as_ref(),
        "import".as_ref(),
        site.path("bad.jsonl").as_os_str(),
    ]);
    let page = site.path("bad.html");
    site.ok(&["timeline".as_ref(), "X/1".as_ref(), "--html".as_ref(), page.as_os_str()]);
    let seen = look(&browser, &site, &page);
    assert_eq!(seen.console, Vec::<String>::new());
    assert!(
        seen.dom.contains("<title>Timeline of case X/1</title>"),
        "the title is the page's own"
    );
    assert_eq!(
        times(&seen.dom, "<script") + times(&seen.dom, "<img") + times(&seen.dom, "onerror=\""),
        0
    );
    assert_eq!(times(&seen.dom, "<style"), 1);
    assert!(
        times(&seen.dom, "&lt;script&gt;document.title") > 3,
        "the text is there, as text"
    );
}

/// A page of thousands of entries, in the order of a second, drawn as numbers where single signs would cover one another.
#[test]
fn a_page_of_two_thousand_entries_is_drawn_as_numbers() {
    let site = Site::new();
    let mut lines = String::from(
        "{\"record_type\":\"case\",\"source_system\":\"t\",\"record_id\":\"1\",\"case_ref\":\"X/1\",\"opened_at\":\"2019-01-01\"}\n",
    );
    for at in 0..2_000 {
        let (year, month, day) = (2019 + at % 3, 1 + at % 12, 1 + (at * 7) % 28);
        lines.push_str(&format!(
            "{{\"record_type\":\"log_entry\",\"source_system\":\"t\",\"record_id\":\"L{at}\",\"case_ref\":\"X/1\",\"entry_at\":\"{year}-{month:02}-{day:02}T09:00:00Z\",\"author_id\":\"P-{}\",\"text\":\"entry {at}\"}}\n",
            at % 9
        ));
    }
    for at in 0..24 {
        let month = 1 + at % 12;
        lines.push_str(&format!(
            "{{\"record_type\":\"decision\",\"source_system\":\"t\",\"record_id\":\"D{at}\",\"case_ref\":\"X/1\",\"decision_type\":\"referral\",\"decided_at\":\"2020-{month:02}-03\",\"decided_by\":\"P-{}\"}}\n",
            at % 9
        ));
    }
    files::write(&site.path("many.jsonl"), lines);
    site.ok(&[
        "records".as_ref(),
        "import".as_ref(),
        site.path("many.jsonl").as_os_str(),
    ]);
    let page = site.path("many.html");
    site.ok(&["timeline".as_ref(), "X/1".as_ref(), "--html".as_ref(), page.as_os_str()]);
    let text = files::read(&page);
    let text = String::from_utf8(text).expect("the page is UTF-8");
    assert!(text.contains("highest bar") && text.contains("stand for several entries each"));
    let Some(browser) = browser() else { return };
    let seen = look(&browser, &site, &page);
    assert_eq!(seen.console, Vec::<String>::new());
    assert_eq!(times(&seen.dom, "<tr id=\"e"), 2_025);
    shoot(&browser, &site, &page, "timeline-many.png", &[]);
}
