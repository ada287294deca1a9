//! One file a command; each opens what it needs, calls the library, prints.

mod bench;
mod bench_queries;
mod casework;
mod certificate;
mod demo;
mod dip_sample;
mod doctor;
mod indicators;
mod ingest;
mod init;
mod people;
mod records;
mod review;
mod sample;
mod saved;
mod search;
mod show;
mod standing;
mod status;
mod terms;
mod threads;
mod timeline;
mod verify;
mod worker;

use crate::args::{Args, Command};

/// Runs a command and returns its exit code.
pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
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
        Command::Exhibit(exhibit) => casework::exhibit(args, exhibit),
        Command::Tag(tag) => casework::tag(args, tag),
        Command::Review(command) => review::review(args, command),
        Command::Privilege(command) => review::privilege(args, command),
        Command::Timeline(timeline) => timeline::run(args, timeline),
        Command::Indicators(asked) => indicators::run_command(args, asked),
        Command::DipSample(asked) => dip_sample::run(args, asked),
        Command::Verify(verify) => verify::verify(args, verify),
        Command::Reindex(reindex) => verify::reindex(args, reindex),
        Command::Doctor(list) => doctor::run(list),
        Command::Bench(bench) => bench::run(args, bench),
        Command::Demo(demo) => demo::run(demo),
        Command::Worker(worker) => worker::run(worker),
    }
}
