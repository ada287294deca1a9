//! Function words of languages in Latin and Cyrillic letters: articles, pronouns, prepositions, conjunctions, auxiliary verbs, as any grammar of the
//! language lists them.
//!
//! A word is looked up by its lower-case bytes, sixteen of them in one number, of which a table keeps 32 bits. Main function: [`look_up`]. Invariant: a language is one bit.

use std::sync::LazyLock;

/// Languages of the table by their place in it: code and words.
pub(super) const LANGUAGES: &[(&str, &str)] = &[
    (
        "en",
        "the of and to in is that for it with as was on be at by this have from or had not are but what all were we when your can there an which she do how \
        their if will about out then them these so some her would him into has more no could my than been who its now did you i he they us our am any because \
        should after where only also please me over just may",
    ),
    (
        "de",
        "der die das und ist nicht ich sie es ein eine einen einem einer zu mit den dem des von auf für im in sich auch als an nach wie aus bei noch nur oder aber hat \
        haben werden wird sind war wir ihr ihnen über zum zur dass bitte kann vor durch wenn mehr sehr schon diese dieser am um so er ihre unter keine wurde",
    ),
    (
        "fr",
        "le la les de des du et est un une en que qui dans pour pas sur avec au aux par plus ce cette il elle nous vous je ne se sont mais ou où été être \
        avoir ont leur bien fait tout comme même sans votre notre ses son sa on ils mon si cela très après l d qu à",
    ),
    (
        "es",
        "el la los las de del que y en un una es por con para su no se lo al más como pero sus le ya o este sí porque esta entre cuando muy sin sobre también \
        me hasta hay donde quien desde todo nos durante fue son está usted ha mi si e ser han fueron",
    ),
    (
        "it",
        "il lo la i gli le di del della dei delle che e è un una in per con non si da al alla come ma anche più nel nella sono ho ha questo questa dal dalla ci se o \
        mi ti abbiamo essere stato sul sulla l d ed hanno loro suo dopo dell nell all",
    ),
    (
        "pt",
        "o a os as de do da dos das que e em um uma para com não por mais se como mas foi ao ele ela à seu sua ou ser quando muito no na nos já está eu também só \
        pelo pela até isso são você nas foram sobre há tem",
    ),
    (
        "nl",
        "de het een en van ik te dat die in is niet zijn op aan met als voor er maar om hem dan zou of wat mijn dit zo door over ze bij ook tot je uit naar kan \
        wij hebben heeft deze worden werd nog wordt geen was had hij we zich u",
    ),
    (
        "sv",
        "och att det i en jag är som på för med av han den till inte har de om ett var men sig så från vi när hade du kan över efter också eller vid mot under \
        finns blir skulle mycket hon ska sin detta",
    ),
    (
        "da",
        "og at det i en jeg er som på for med af han den til ikke har de om et var men sig så fra vi når havde du kan over efter også eller ved mod hvad noget \
        mig dig blev hun skal sin dette blive efter kunne være",
    ),
    (
        "nb",
        "og at det i en jeg er som på for med av han den til ikke har de om et var men seg så fra vi når hadde du kan over etter også eller ved mot hva noe meg \
        deg ble hun skal sin dette bli kunne være",
    ),
    (
        "fi",
        "ja on ei se että hän oli mutta kun niin kuin myös ole joka mitä tai jos vain nyt sen olen hänen minä sinä me te he ovat tämä kanssa mukaan sekä voi \
        kaikki siitä jo vielä olivat hänelle jälkeen",
    ),
    (
        "pl",
        "i w na się nie z do to że jest o jak a ale co po tak za od przez był dla czy tego są przy już może być tylko ten jego oraz lub które który także gdy \
        mnie ich jej ze we pod została było",
    ),
    (
        "cs",
        "a v se na je že to s z do o i jako za by ale si po pro od k jsem tak který které jsou bylo když byl také jeho nebo aby při až může mezi než ještě už \
        není jen ve po která byla",
    ),
    (
        "sk",
        "a v sa na je že to s z do o i ako za by ale si po pre od k som tak ktorý ktoré sú bolo keď bol tiež jeho alebo aby pri až môže medzi než ešte už nie \
        len vo ktorá bola",
    ),
    (
        "hu",
        "a az és hogy nem egy is van ez meg de ha csak már el még mint volt vagy azt kell ki lehet minden akkor majd után itt ezt nagyon között által e s",
    ),
    (
        "ro",
        "și în de la cu a nu o pe este să din care un mai au pentru că fi ca sau ce fost prin sunt dar după lui când acest această foarte ei era al ale cel",
    ),
    (
        "hr",
        "i u je na se da su za od s kao ne o ili bi koji koja koje što iz ali nije sam će do po ovo kako samo nakon biti bio može ima te prema",
    ),
    (
        "sl",
        "in je na se da so za od z kot ne o ali bi ki kar iz pa ni sem bo do po to kako samo še tudi biti bil lahko pri če v s jih",
    ),
    (
        "tr",
        "ve bir bu da de için ile o çok ne var daha gibi kadar sonra olarak ama en olan ki her ben değil mi olduğu ancak şey tarafından göre veya ya",
    ),
    (
        "cy",
        "yn y yr a i o ar mae ac am wedi ei bod gan fod fel oedd hyn at nid eu ond oes ni chi rydym gyda hefyd sydd fy eich roedd dim cael neu wrth i'r o'r a'r",
    ),
    (
        "ga",
        "an na agus ar i is go tá ag le do a sé bhí ní sin mar nach seo air níl leis bheith chun ach raibh féin siad den faoi nó",
    ),
    (
        "et",
        "ja on ei et see ta oli kui aga siis ka mis või nii oma kes ma sa ning ole veel juba ainult pärast selle olid mida seda",
    ),
    (
        "lv",
        "un ir ar no uz par ka tas kas nav bet vai arī kā lai pie pēc tikai bija jau līdz viņš to es kad viņa šo",
    ),
    (
        "lt",
        "ir yra kad į iš su tai ne bet kaip už per jis buvo ar taip dėl nuo arba po tik jau prie ji jo šis",
    ),
    (
        "ca",
        "el la els les de del que i en un una és per amb no se al més com però va seva aquest aquesta són també o ha hi perquè quan molt dels pel amb l d",
    ),
    (
        "id",
        "yang dan di dengan untuk ini dari itu dalam tidak pada ke adalah akan saya ada juga atau kami anda oleh sudah karena bisa telah dapat mereka",
    ),
    (
        "ru",
        "и в не на что с он я как это по но а из у за к от так же для вы было она они все мы бы если или был его ее только когда уже до при были этого о во \
        ещё её со быть",
    ),
    (
        "uk",
        "і в не на що з він я як це по але а із у за до від так же для ви було вона вони все ми би якщо або був його її тільки коли вже при та про є й зі",
    ),
    (
        "bg",
        "и в не на че с той аз как това по но а от за към да се ще са си беше тя те ние ако или него само когато вече до при е му във със които",
    ),
    (
        "sr",
        "и у не на што са он ја како то по али а из за од да се су ће је био она они ми ако или његов само када већ до при који није",
    ),
    (
        "mk",
        "и во не на дека со тој јас како тоа по но а од за да се ќе е беше таа тие ние ако или негов само кога веќе до при ги што",
    ),
    (
        "be",
        "і ў не на што з ён я як гэта па але а за да ад так жа для вы было яна яны мы калі або быў яго і пры",
    ),
];

/// Slots of the table; a power of two, more than twice the number of words.
const SLOTS: usize = 4096;

/// A slot holds the upper half of a word's mixed key and, below it, a bit for each language: eight bytes, so that the table stays in the nearest caches
/// beside everything else that a message takes.
struct Table(Vec<u64>);

static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

impl Table {
    fn new() -> Self {
        let mut table = Self(vec![0; SLOTS]);
        for (language, (_, words)) in LANGUAGES.iter().enumerate() {
            for word in words.split_ascii_whitespace() {
                let mut key = Key::default();
                word.bytes().for_each(|byte| key.push(byte));
                let mixed = key.mixed();
                let slot = table.slot(mixed);
                table.0[slot] = table.0[slot] & LANGUAGE_BITS | mixed & !LANGUAGE_BITS | 1 << language;
            }
        }
        table
    }

    /// Where a word is, or would be. There is always a free slot.
    #[inline]
    fn slot(&self, mixed: u64) -> usize {
        let mut at = mixed as usize % SLOTS;
        while self.0[at] != 0 && (self.0[at] ^ mixed) & !LANGUAGE_BITS != 0 {
            at = (at + 1) % SLOTS;
        }
        at
    }
}

/// The lower half of a slot: which languages have the word.
const LANGUAGE_BITS: u64 = u32::MAX as u64;

/// A word of at most sixteen bytes as a number; longer ones are no function words.
#[derive(Clone, Copy, Default)]
pub(super) struct Key(u128);

impl Key {
    /// The key of a word of ASCII letters in either case, as if each had been pushed in lower case.
    #[inline]
    pub(super) fn of_letters(word: &[u8]) -> Self {
        const LOWER: u128 = 0x2020_2020_2020_2020_2020_2020_2020_2020;
        let mut bytes = [0; 16];
        match bytes.len().checked_sub(word.len()) {
            Some(16) => Self(0),
            Some(from) => {
                bytes[from..].copy_from_slice(word);
                Self(u128::from_be_bytes(bytes) | LOWER >> (8 * from))
            }
            None => Self(u128::MAX),
        }
    }

    /// Its bits spread over a number: the lower ones choose a slot, the upper half tells it from others.
    #[inline]
    fn mixed(self) -> u64 {
        let folded = (self.0 as u64) ^ ((self.0 >> 64) as u64).rotate_left(29);
        let spread = folded.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        spread ^ (spread >> 32)
    }

    #[inline]
    pub(super) fn push(&mut self, byte: u8) {
        self.0 = if self.0 >> 120 == 0 {
            self.0 << 8 | u128::from(byte)
        } else {
            u128::MAX
        };
    }
}

/// The languages that have this function word, a bit each by their place in [`LANGUAGES`]. Words are told by 32 bits of their key: one word in
/// millions that is none is taken for one.
#[inline]
pub(super) fn look_up(key: Key) -> u32 {
    let table = &*TABLE;
    table.0[table.slot(key.mixed())] as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_know_their_languages() {
        let languages = |word: &str| -> Vec<&str> {
            let mut key = Key::default();
            word.bytes().for_each(|byte| key.push(byte));
            let found = look_up(key);
            (0..LANGUAGES.len())
                .filter(|at| found >> at & 1 == 1)
                .map(|at| LANGUAGES[at].0)
                .collect()
        };
        for word in ["", "the", "THE", "Sixteenletterwrd", "Seventeenletterwr"] {
            let mut key = Key::default();
            word.bytes().for_each(|byte| key.push(byte.to_ascii_lowercase()));
            assert_eq!(key.0, Key::of_letters(word.as_bytes()).0, "{word}");
        }
        assert_eq!(languages("the"), ["en"]);
        assert_eq!(languages("nicht"), ["de"]);
        assert_eq!(languages("ikke"), ["da", "nb"]);
        assert_eq!(languages("wordthatisnone"), Vec::<&str>::new());
        assert_eq!(languages("wordthatislongerthansixteen"), Vec::<&str>::new());
        assert_eq!(languages(""), Vec::<&str>::new());
    }

    #[test]
    fn the_table_is_less_than_half_full_and_every_language_has_a_name() {
        let full = TABLE.0.iter().filter(|slot| **slot != 0).count();
        assert!(full > 800 && full < SLOTS / 2, "{full}");
        assert!(LANGUAGES.len() <= 32);
        // No two words of the table are taken for one.
        let all: std::collections::HashSet<&str> = LANGUAGES.iter().flat_map(|(_, words)| words.split(' ')).collect();
        let words = all.iter().filter(|word| !word.is_empty() && word.len() <= 16).count();
        assert_eq!(full, words);
        for (code, _) in LANGUAGES {
            assert_eq!(embley_model::language::code_of(code), Some(*code));
        }
    }
}
