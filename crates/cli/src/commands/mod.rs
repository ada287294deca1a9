//! One file a command; each opens what it needs, calls the library, prints.

mod around;
mod audit;
mod batches;
mod bench;
mod bench_queries;
mod casework;
mod certificate;
mod coding;
mod demo;
mod dip_sample;
mod doctor;
mod exhibit_show;
mod exhibits;
mod export;
mod indicators;
mod ingest;
mod init;
mod journal;
mod notes;
mod people;
mod phrases;
mod quarantine;
mod records;
mod review;
mod sample;
mod saved;
mod schedule;
mod search;
mod show;
mod standing;
mod status;
mod tags;
mod terms;
mod text_links;
mod threads;
mod timeline;
mod user;
mod verify;
mod worker;

use crate::args::{Args, Command};
use crate::audit::{Typed, recorded};

/// Runs a command and returns its exit code. Whatever opens a case is recorded before and behind; a refusal too.
pub(crate) fn run(args: &Args, typed: &Typed) -> anyhow::Result<u8> {
    recorded(args, typed, || dispatch(args))
}

fn dispatch(args: &Args) -> anyhow::Result<u8> {
    crate::guard::check(args)?;
    match &args.command {
        Command::Init(init) => init::run(init),
        Command::Ingest(ingest) => ingest::run(args, ingest),
        Command::Status(list) => status::status(args, list),
        Command::Runs(runs) => status::runs(args, runs),
        Command::Exceptions(exceptions) => status::exceptions(args, exceptions),
        Command::Search(search) => search::run(args, search),
        Command::Saved(command) => saved::saved(args, command),
        Command::History(history) => saved::history(args, history),
        Command::Terms(terms) => terms::run(args, terms),
        Command::Certificate(certificate) => certificate::write(args, certificate),
        Command::Replay(replay) => certificate::replay(args, replay),
        Command::Sample(sample) => sample::run(args, sample),
        Command::Show(show) => show::run(args, show),
        Command::Records(records) => records::records(args, records),
        Command::People(people) => people::people(args, people),
        Command::Exhibit(command) => exhibits::exhibit(args, command),
        Command::Tag(command) => tags::tag(args, command),
        Command::Note(command) => notes::note_command(args, command),
        Command::Batch(command) => batches::batch(args, command),
        Command::Coding(command) => coding::coding(args, command),
        Command::Journal(asked) => journal::journal(args, asked),
        Command::Review(command) => review::review(args, command),
        Command::Privilege(command) => review::privilege(args, command),
        Command::Disclosure(command) => schedule::disclosure(args, command),
        Command::Schedule(command) => schedule::schedule(args, command),
        Command::Export(asked) => export::export(args, asked),
        Command::VerifyExport(asked) => export::verify(asked),
        Command::User(command) => user::user(args, command),
        Command::Timeline(timeline) => timeline::run(args, timeline),
        Command::Indicators(asked) => indicators::run_command(args, asked),
        Command::DipSample(asked) => dip_sample::run(args, asked),
        Command::Audit(command) => audit::audit(args, command),
        Command::Verify(verify) => verify::verify(args, verify),
        Command::Reindex(reindex) => verify::reindex(args, reindex),
        Command::Doctor(list) => doctor::run(args, list),
        Command::Bench(bench) => bench::run(args, bench),
        Command::Demo(demo) => demo::run(demo),
        Command::Worker(worker) => worker::run(worker),
    }
}
