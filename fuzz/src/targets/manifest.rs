//! What `verify-export` reads of a folder before it knows that it is one of ours: the list of files and the signature over it.

use embley_store::manifest::{ManifestLine, ManifestReader};
use embley_store::outgoing::ManifestSignature;
use embley_store::signing::PublicKey;

use super::ensure;
use crate::target::Target;

const LIST: &[u8] =
    b"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1  VOL01/NATIVES/0001/DOC0000001.eml\n\
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  loadfile.opt\n\
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  ../x\n";
const SIGNED: &[u8] = b"{\"schema\":1,\"signs\":\"manifest.sha256\",\"sha256\":\"00\",\"algorithm\":\"Ed25519\",\"key_id\":\"00\",\
\"public_key\":\"-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\\n-----END PUBLIC KEY-----\\n\",\
\"signature\":\"AAAA\"}";

pub(super) const MANIFEST: Target = Target {
    words: &[
        b"  ",
        b"\n",
        b"../",
        b"/",
        b"\\",
        b"./",
        b"\r\n",
        b"\xe2\x80\xae",
        b"0000000000000000",
    ],
    made: || {
        let mut long = vec![b'x'; 16 << 10];
        long.extend_from_slice(LIST);
        vec![LIST.to_vec(), SIGNED.to_vec(), long]
    },
    ..Target::new(
        "manifest",
        "every name stays within the folder, every line is a line of the file",
        |bytes| {
            let mut reader = ManifestReader::new(bytes);
            let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
            while let Some(line) = reader.next_line().map_err(|error| error.to_string())? {
                let at = lines.next().ok_or("more lines than the file has")?;
                let ManifestLine::File { sha256, name } = line else {
                    continue;
                };
                let hex: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
                ensure(at == format!("{hex}  {name}\n").as_bytes(), || {
                    format!("{name:?} is not on its line")
                })?;
                let plain = std::path::Path::new(&name)
                    .components()
                    .all(|part| matches!(part, std::path::Component::Normal(_)));
                ensure(plain, || format!("{name:?} leads out of the folder"))?;
            }
            ensure(lines.next().is_none(), || "a line was passed over".to_owned())?;
            if let Ok(signature) = serde_json::from_slice::<ManifestSignature>(bytes)
                && let Ok(key) = PublicKey::from_pem(&signature.public_key)
            {
                ensure(!signature.holds(&signature.sha256, &key), || {
                    "a signature that nobody made holds".to_owned()
                })?;
            }
            Ok(())
        },
    )
};
