//! Which entries stand in which lane of the drawing, and which of them are drawn as one.
//!
//! Main type: [`Lane`]. Lanes: the case, each person with each role, notices, reviews, log, documents, mail, files, exhibits. Invariant: every dated
//! entry is in exactly one lane; where marks would cover one another they are drawn as one that says how many it stands for.

use std::collections::{BTreeMap, HashMap};

use embley_store::facts::cases::case_key;

use super::super::entry::{Entry, EntryKind, RoleInterval, Timeline};
use super::scale::Scale;

/// Lanes of people; whoever comes after that shares one.
const MOST_ROLE_LANES: usize = 48;
/// Bars beneath one another in one lane.
const MOST_ROWS: usize = 4;
/// Marks nearer than this are drawn as one.
const NEAR: f64 = 13.0;
/// More entries than this are drawn as bars of numbers, in lanes of which there are many of one sort.
const MANY: usize = 60;
/// Width of a bar of numbers.
pub(super) const BIN: f64 = 8.0;

/// A lane.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// What it is: a person, or a sort of entries.
    pub(super) name: String,
    /// The role, or how many are in it.
    pub(super) detail: String,
    /// Bars of roles.
    pub(super) bars: Vec<Bar>,
    /// Rows of bars.
    pub(super) rows: usize,
    /// Marks.
    pub(super) marks: Vec<Group>,
    /// Bars of numbers in place of marks; the highest number.
    pub(super) bins: Option<u64>,
}

/// A role from when to when.
#[derive(Debug)]
pub(super) struct Bar {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) row: usize,
    /// No start, no end on record, or outside the drawing.
    pub(super) open: (bool, bool),
    pub(super) words: String,
    /// The entry to which it leads.
    pub(super) place: Option<usize>,
}

/// Entries that are drawn as one mark.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) x: f64,
    /// Places in the timeline, in order.
    pub(super) places: Vec<usize>,
}

/// The sorts of lanes, in their order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Case,
    Decisions,
    Notices,
    Reviews,
    Log,
    Documents,
    Mail,
    Files,
    Exhibits,
}

impl Sort {
    fn name(self) -> &'static str {
        match self {
            Self::Case => "Case and allegations",
            Self::Decisions => "Decisions, no lane above",
            Self::Notices => "Notices and declarations",
            Self::Reviews => "Reviews, updates, reports",
            Self::Log => "Log and registers",
            Self::Documents => "Documents on record",
            Self::Mail => "E-mail",
            Self::Files => "Attachments and files",
            Self::Exhibits => "Exhibits",
        }
    }

    /// True where single entries say little and their number says more.
    fn is_counted(self) -> bool {
        matches!(self, Self::Log | Self::Documents | Self::Mail | Self::Files)
    }
}

fn sort_of(kind: EntryKind) -> Sort {
    match kind {
        EntryKind::CaseDate | EntryKind::Allegation | EntryKind::Party | EntryKind::Record => Sort::Case,
        EntryKind::RoleStart | EntryKind::RoleEnd | EntryKind::Decision => Sort::Decisions,
        EntryKind::Declaration | EntryKind::Notice => Sort::Notices,
        EntryKind::Review | EntryKind::Update | EntryKind::TimelinessReport => Sort::Reviews,
        EntryKind::LogEntry | EntryKind::Register => Sort::Log,
        EntryKind::RecordedDocument => Sort::Documents,
        EntryKind::Email => Sort::Mail,
        EntryKind::Attachment | EntryKind::Document => Sort::Files,
        EntryKind::Exhibit => Sort::Exhibits,
    }
}

/// The lanes of a timeline, from top to bottom.
pub(super) fn lanes(timeline: &Timeline, scale: &Scale) -> Vec<Lane> {
    let starts = first_entries(timeline);
    let mut roles = RoleLanes::of(timeline, scale, &starts);
    let mut others: BTreeMap<Sort, Vec<(f64, usize)>> = BTreeMap::new();
    for (place, entry) in timeline.entries.iter().enumerate() {
        let Some(secs) = entry.utc_secs else { continue };
        let x = scale.x(secs);
        // Beginning and end of a role are its bar.
        if matches!(entry.kind, EntryKind::RoleStart | EntryKind::RoleEnd) && roles.draws(entry) {
            continue;
        }
        match roles.lane_of(entry) {
            Some(lane) => roles.marks[lane].push((x, place)),
            None => others.entry(sort_of(entry.kind)).or_default().push((x, place)),
        }
    }
    let mut all = Vec::new();
    if let Some(of_case) = others.remove(&Sort::Case) {
        all.push(lane_of(Sort::Case, of_case));
    }
    all.extend(roles.finish());
    all.extend(others.into_iter().map(|(sort, entries)| lane_of(sort, entries)));
    all
}

fn lane_of(sort: Sort, entries: Vec<(f64, usize)>) -> Lane {
    let count = entries.len();
    let dense = sort.is_counted() && count > MANY;
    let (marks, bins) = if dense {
        let marks = binned(entries);
        let highest = marks.iter().map(|group| group.places.len()).max().unwrap_or(0);
        (marks, Some(highest as u64))
    } else {
        (grouped(entries), None)
    };
    let detail = match bins {
        Some(highest) => format!("{count}; highest bar {highest}"),
        None => count.to_string(),
    };
    Lane {
        name: sort.name().to_owned(),
        detail,
        marks,
        bins,
        ..Lane::default()
    }
}

/// Entries in order, those that would cover one another together.
fn grouped(entries: Vec<(f64, usize)>) -> Vec<Group> {
    let mut groups: Vec<(f64, Group)> = Vec::new();
    for (x, place) in entries {
        match groups.last_mut() {
            Some((start, group)) if x - *start < NEAR => group.places.push(place),
            Some(_) | None => groups.push((x, Group { x, places: vec![place] })),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Entries by the stretch of the drawing in which they lie.
fn binned(entries: Vec<(f64, usize)>) -> Vec<Group> {
    let mut bins: BTreeMap<i64, Group> = BTreeMap::new();
    for (x, place) in entries {
        let bin = (x / BIN).floor();
        let group = bins.entry(bin as i64).or_insert_with(|| Group {
            x: bin * BIN,
            places: Vec::new(),
        });
        group.places.push(place);
    }
    bins.into_values().collect()
}

/// The place of the first entry of each record.
fn first_entries(timeline: &Timeline) -> HashMap<&str, usize> {
    let mut places = HashMap::new();
    for (place, entry) in timeline.entries.iter().enumerate() {
        if let Some(record) = &entry.record {
            places.entry(record.as_str()).or_insert(place);
        }
    }
    places
}

/// Lanes of people and their roles.
struct RoleLanes {
    lanes: Vec<Lane>,
    marks: Vec<Vec<(f64, usize)>>,
    /// Lanes by person and role.
    by_role: HashMap<(String, String), usize>,
    /// The first lane of each person.
    by_person: HashMap<String, usize>,
    drawn: std::collections::HashSet<String>,
}

impl RoleLanes {
    fn of(timeline: &Timeline, scale: &Scale, starts: &HashMap<&str, usize>) -> Self {
        let mut all = Self {
            lanes: Vec::new(),
            marks: Vec::new(),
            by_role: HashMap::new(),
            by_person: HashMap::new(),
            drawn: std::collections::HashSet::new(),
        };
        // People stand in the order in which their first role begins, the roles of one person together.
        let mut firsts: HashMap<String, i64> = HashMap::new();
        for role in &timeline.roles {
            let first = firsts.entry(key(&role.person_id)).or_insert(i64::MAX);
            *first = (*first).min(role.from_secs.unwrap_or(i64::MIN));
        }
        let mut roles: Vec<&RoleInterval> = timeline.roles.iter().collect();
        roles.sort_by_cached_key(|role| {
            let person = key(&role.person_id);
            (
                firsts.get(&person).copied(),
                person,
                role.from_secs,
                key(&role.role),
                role.record.clone(),
            )
        });
        for role in roles {
            all.add(role, scale, starts);
        }
        all
    }

    fn add(&mut self, role: &RoleInterval, scale: &Scale, starts: &HashMap<&str, usize>) {
        let person = key(&role.person_id);
        let full = self.lanes.len() >= MOST_ROLE_LANES;
        let lane = match self.by_role.get(&(person.clone(), key(&role.role))) {
            Some(lane) => *lane,
            None if full => self.lanes.len() - 1,
            None => {
                let last = self.lanes.len() + 1 == MOST_ROLE_LANES;
                self.lanes.push(Lane {
                    name: if last { "Others".to_owned() } else { role.person.clone() },
                    detail: if last {
                        "further roles on record".to_owned()
                    } else {
                        role.role.clone()
                    },
                    ..Lane::default()
                });
                self.marks.push(Vec::new());
                self.lanes.len() - 1
            }
        };
        self.by_role.insert((person.clone(), key(&role.role)), lane);
        self.by_person.entry(person).or_insert(lane);
        self.drawn.insert(role.record.clone());
        let inside = |secs: Option<i64>| secs.is_some_and(|secs| scale.holds(secs));
        let left = role.from_secs.map_or(scale.x(i64::MIN / 4), |from| scale.x(from));
        let right = role.until_secs.map_or(scale.x(i64::MAX / 4), |until| scale.x(until));
        let bars = &mut self.lanes[lane].bars;
        let right = right.max(left + 3.0);
        let taken = |row: usize| {
            bars.iter()
                .any(|bar: &Bar| bar.row == row && bar.left < right && left < bar.right)
        };
        let row = (0..MOST_ROWS).find(|row| !taken(*row)).unwrap_or(MOST_ROWS - 1);
        bars.push(Bar {
            left,
            right,
            row,
            open: (!inside(role.from_secs), !inside(role.until_secs)),
            words: format!("role recorded: {}", role.sentence),
            place: starts.get(role.record.as_str()).copied(),
        });
        self.lanes[lane].rows = self.lanes[lane].rows.max(row + 1);
    }

    fn draws(&self, entry: &Entry) -> bool {
        entry.record.as_ref().is_some_and(|record| self.drawn.contains(record))
    }

    /// A decision stands with its maker: in the lane of the role that it names, else in the first one.
    fn lane_of(&self, entry: &Entry) -> Option<usize> {
        let decision = entry.decision.as_ref()?;
        let person = key(decision.decided_by.as_deref().unwrap_or_default());
        let claimed = key(decision.role_claimed.as_deref().unwrap_or_default());
        self.by_role
            .get(&(person.clone(), claimed))
            .or_else(|| self.by_person.get(&person))
            .copied()
    }

    fn finish(self) -> impl Iterator<Item = Lane> {
        self.lanes.into_iter().zip(self.marks).map(|(lane, marks)| Lane {
            marks: grouped(marks),
            ..lane
        })
    }
}

fn key(text: &str) -> String {
    case_key(&text.replace(['_', '-'], " "))
}
