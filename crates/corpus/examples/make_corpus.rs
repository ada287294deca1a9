//! Makes a corpus: `make_corpus DIR MESSAGES [SEED] [FORMAT,FORMAT...] [SETTING=VALUE...]`.
//!
//! Formats: mboxrd, mboxo, mboxcl2, mboxrd-crlf, maildir, eml; custodians take them in turn. Settings are the fields of
//! `CorpusConfig` and its shares, as in `custodians=12 digest=false broken=0.05`. Without a folder (`-`) the messages
//! are only made, to see how fast that is.
#![expect(clippy::print_stdout, reason = "this is a command line")]

use std::path::Path;
use std::time::Instant;

use embley_corpus::{CorpusConfig, MessageStream, write_corpus};

type Fault = Box<dyn std::error::Error>;

fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, messages, rest @ ..] = arguments.as_slice() else {
        return Err("usage: make_corpus DIR|- MESSAGES [SEED] [FORMATS] [SETTING=VALUE...]".into());
    };
    let config = config_from(messages.parse()?, rest)?;
    #[expect(clippy::disallowed_methods, reason = "measures itself")]
    let start = Instant::now();
    let truth = if dir == "-" {
        let mut stream = MessageStream::new(&config)?;
        while stream.next_message().is_some() {}
        stream.truth()
    } else {
        write_corpus(Path::new(dir), &config)?
    };
    let seconds = start.elapsed().as_secs_f64();
    let megabytes = truth.message_bytes as f64 / 1e6;
    println!(
        "{} messages, {} distinct, {megabytes:.1} MB, {seconds:.2} s, {:.0} MB/s, {:.0} messages/s",
        truth.messages,
        truth.distinct_messages,
        megabytes / seconds,
        truth.messages as f64 / seconds
    );
    Ok(())
}

fn config_from(messages: u64, rest: &[String]) -> Result<CorpusConfig, Fault> {
    let mut config = CorpusConfig::new(messages, 1);
    for argument in rest {
        if let Ok(seed) = argument.parse() {
            config.seed = seed;
        } else if let Some((name, value)) = argument.split_once('=') {
            set(&mut config, name, value)?;
        } else {
            let list: Vec<serde_json::Value> = argument.split(',').map(|name| name.into()).collect();
            config.formats = serde_json::from_value(list.into())?;
        }
    }
    Ok(config)
}

/// Sets a field by its name, through the JSON form of the config.
fn set(config: &mut CorpusConfig, name: &str, value: &str) -> Result<(), Fault> {
    let mut json = serde_json::to_value(&*config)?;
    let place = if json.get(name).is_some() {
        &mut json[name]
    } else if json["shares"].get(name).is_some() {
        &mut json["shares"][name]
    } else {
        return Err(format!("no setting {name:?}").into());
    };
    *place = serde_json::from_str(value)?;
    *config = serde_json::from_value(json)?;
    Ok(())
}
