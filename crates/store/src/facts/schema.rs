//! The tables of facts. All are STRICT; bitmaps are roaring's portable serialisation over item numbers.

/// Run once when a catalogue is made. A later version of a table comes with a step of the catalogue's migration.
pub(crate) const SCHEMA: &str = "
-- A set of items with a name: the present members, compacted. Every change is a row of fact_event.
CREATE TABLE fact_set (
    set_id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,              -- 1 tag, 2 exhibit, 3 privilege, 4 review
    key TEXT NOT NULL,                  -- the name folded; unique within a kind
    name TEXT NOT NULL,                 -- as first written
    version INTEGER NOT NULL,           -- the number of changes so far
    member_count INTEGER NOT NULL,
    members BLOB NOT NULL,
    UNIQUE (kind, key)
) STRICT;

CREATE TRIGGER fact_set_not_deleted BEFORE DELETE ON fact_set
    BEGIN SELECT RAISE(ABORT, 'a set is emptied, never deleted'); END;

-- One change of one set: delta holds exactly the items that it added or removed.
CREATE TABLE fact_event (
    event_id INTEGER PRIMARY KEY,
    set_id INTEGER NOT NULL REFERENCES fact_set (set_id),
    version INTEGER NOT NULL,           -- of the set, after the change
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action INTEGER NOT NULL,            -- 1 added, 2 removed
    undoes INTEGER REFERENCES fact_event (event_id),
    reason TEXT NOT NULL,               -- the query, the file of ids, or a note
    delta_count INTEGER NOT NULL,
    delta BLOB NOT NULL,
    UNIQUE (set_id, version)
) STRICT;
CREATE TRIGGER fact_event_not_changed BEFORE UPDATE ON fact_event
    BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
CREATE TRIGGER fact_event_not_deleted BEFORE DELETE ON fact_event
    BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;

-- The register. Two producers may share initials: the key is reference and producer.
CREATE TABLE exhibit (
    exhibit_id INTEGER PRIMARY KEY,
    set_id INTEGER NOT NULL UNIQUE REFERENCES fact_set (set_id),
    reference TEXT NOT NULL,            -- normal form, JS/1/2
    initials TEXT NOT NULL,
    producer_key TEXT NOT NULL,         -- produced_by folded; empty when it was not said
    produced_by TEXT NOT NULL,
    produced_on TEXT NOT NULL,          -- RFC 3339 or a day; empty when it was not said
    description TEXT NOT NULL,
    created_at_micros INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (reference, producer_key)
) STRICT;
CREATE INDEX exhibit_by_initials ON exhibit (initials);

-- What was said about an exhibit before.
CREATE TABLE exhibit_change (
    change_id INTEGER PRIMARY KEY,
    exhibit_id INTEGER NOT NULL REFERENCES exhibit (exhibit_id),
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    field TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL
) STRICT;
CREATE TRIGGER exhibit_change_not_changed BEFORE UPDATE ON exhibit_change
    BEGIN SELECT RAISE(ABORT, 'changes are only ever added'); END;
CREATE TRIGGER exhibit_change_not_deleted BEFORE DELETE ON exhibit_change
    BEGIN SELECT RAISE(ABORT, 'changes are only ever added'); END;

-- An exhibit belongs to a case or a decision. The target is text, so that it may be imported later.
CREATE TABLE exhibit_link (
    link_id INTEGER PRIMARY KEY,
    exhibit_id INTEGER NOT NULL REFERENCES exhibit (exhibit_id),
    kind INTEGER NOT NULL,              -- 1 case, 2 decision
    target_key TEXT NOT NULL,
    target TEXT NOT NULL,
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    removed_at_micros INTEGER,
    removed_by TEXT
) STRICT;
CREATE INDEX exhibit_link_by_target ON exhibit_link (kind, target_key);
CREATE INDEX exhibit_link_by_exhibit ON exhibit_link (exhibit_id);
CREATE TRIGGER exhibit_link_not_deleted BEFORE DELETE ON exhibit_link
    BEGIN SELECT RAISE(ABORT, 'a link is ended, never deleted'); END;

-- A record of a case system, as an item. An update keeps the item number.
CREATE TABLE record (
    record_no INTEGER PRIMARY KEY,
    source_system TEXT NOT NULL,
    record_type INTEGER NOT NULL,       -- model::record::RecordType::code
    record_id TEXT NOT NULL,
    item_no INTEGER NOT NULL UNIQUE,
    version INTEGER NOT NULL,           -- the newest one
    UNIQUE (source_system, record_type, record_id)
) STRICT;
CREATE TRIGGER record_not_deleted BEFORE DELETE ON record
    BEGIN SELECT RAISE(ABORT, 'a record is updated, never deleted'); END;

-- Every version of it, as it was imported.
CREATE TABLE record_version (
    record_no INTEGER NOT NULL REFERENCES record (record_no),
    version INTEGER NOT NULL,
    content_hash BLOB NOT NULL,         -- first half of BLAKE3 of model::record::Record::content
    imported_at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    run_no INTEGER NOT NULL,
    source TEXT NOT NULL,               -- label of the file
    source_row INTEGER NOT NULL,
    body BLOB NOT NULL,                 -- the canonical form: the same bytes as the item's original
    PRIMARY KEY (record_no, version)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER record_version_not_changed BEFORE UPDATE ON record_version
    BEGIN SELECT RAISE(ABORT, 'versions of records are only ever added'); END;
CREATE TRIGGER record_version_not_deleted BEFORE DELETE ON record_version
    BEGIN SELECT RAISE(ABORT, 'versions of records are only ever added'); END;

-- The case references by which the newest version belongs to a case, and the people it names by id.
CREATE TABLE record_case (
    case_key TEXT NOT NULL,
    record_no INTEGER NOT NULL REFERENCES record (record_no),
    case_ref TEXT NOT NULL,
    PRIMARY KEY (case_key, record_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_case_by_record ON record_case (record_no);

-- Derived: the items whose text names a case, up to a state of the index. Made again at will.
CREATE TABLE case_names (
    case_no INTEGER PRIMARY KEY,
    case_key TEXT NOT NULL UNIQUE,
    case_ref TEXT NOT NULL,
    version INTEGER NOT NULL,
    ticket INTEGER NOT NULL,            -- the index's ticket when it was computed
    member_count INTEGER NOT NULL,
    members BLOB NOT NULL
) STRICT;
";
