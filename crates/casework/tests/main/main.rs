//! Casework over real case folders: mail through the pipeline, records through the importer, exhibits and tags as facts.

mod around;
mod documents;
mod folder;
mod linked;
mod scale;
