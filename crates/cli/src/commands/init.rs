//! `embley init`: makes a case.

use embley_model::clock::{Clock, SystemClock};
use embley_store::{Case, InitOptions};

use crate::args::InitArgs;
use crate::exit;
use crate::output::note;

/// Makes the folder and says what to do next.
pub(crate) fn run(args: &InitArgs) -> anyhow::Result<u8> {
    let options = InitOptions {
        name: args.name.clone(),
        reference: args.reference.clone().unwrap_or_default(),
        zone: args.zone.clone(),
        at_micros: SystemClock::new().now_micros(),
    };
    Case::init(&args.dir, &options)?;
    note!("case {:?} made in {}", args.name, args.dir.display());
    note!(
        "next: embley --case {} ingest SOURCE --custodian NAME",
        args.dir.display()
    );
    Ok(exit::DONE)
}
