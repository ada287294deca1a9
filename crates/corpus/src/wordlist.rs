//! The everyday words of the fictional force, commonest first. Written by hand for this project.

/// Function words and office words in falling frequency; all lower case ASCII, at most 13 letters.
pub(crate) const COMMON: &str = "\
the to of and in a is for that i you on be it we this with as have are at by will not was from or if your an can \
has but all please would our they any been there which he do so what my me were had one about up their no out when \
more also she only his who get some time could them then him other know should just into need her let its than may \
now like how new see as well these work make two after over before first here us did where last am back day because \
did being meeting case report email call team date very good such made year next week week part send sent thanks \
regards help said again both going own much many take come want between down most way use used think since still \
each through too under give given same those off right per must might even look put long number people few sure \
until while review office information attached complete copy asked received contact statement officer matter sir \
staff request issue letter note process file form list page name address phone number hours days months morning \
afternoon today tomorrow yesterday monday tuesday wednesday thursday friday saturday sunday january february march \
april june july august september october november december complaint conduct investigation investigator decision \
assessment authority interview witness evidence exhibit record records policy procedure training unit station \
division department section manager inspector sergeant constable superintendent chief detective civilian clerk \
available confirm discuss update progress draft final version comments changes approved agreed details reference \
question answer reply response regarding concerning following above below however therefore although whether either \
neither without within against during around among across along behind beyond upon toward despite except perhaps \
probably possible possibly maybe certainly clearly quite rather really actually already always never often sometimes \
usually soon later early late once twice another every everyone anyone someone nobody nothing something anything \
everything system computer network server password account access user users data database software printer laptop \
folder document documents message messages mailbox inbox archive backup screen keyboard button software support \
problem problems error errors fixed working broken missing lost found wrong correct check checked checking test \
testing tested ready waiting pending urgent important priority delay delayed deadline schedule calendar appointment \
agenda minutes action actions item items room building floor door desk key keys car van vehicle vehicles road street \
bridge park garage fuel mileage driver licence insurance patrol shift rota duty overtime leave holiday sick absence \
cover temporary permanent contract pay payment invoice budget cost costs price value total amount pounds funding \
finance purchase order orders supplier delivery delivered stock store stores uniform boots jacket radio radios \
battery batteries camera cameras film footage recording tape disc image images photo photos map maps plan plans \
drawing public community council school hospital court courts judge hearing panel solicitor counsel legal law act \
regulation regulations rule rules section paragraph notice served serve service severity misconduct gross standard \
standards behaviour professional allegation allegations complainant subject person persons member members family \
mother father brother sister friend friends neighbour neighbours man woman men women child children boy girl home \
house flat garden gate fence shop shops market bank church pub hotel restaurant club farm field river lake hill wood \
incident accident assault theft burglary damage fraud drugs weapon knife arrest arrested charge charged bail custody \
cell suspect suspects victim victims offence offences crime crimes search searched seized seizure property item bag \
box label seal sealed signed signature initials book books entry entries log logs diary pocket notebook summary \
background history previous earlier original recent current present future next period term quarter annual monthly \
weekly daily regular special general local national regional central north south east west area areas region county \
town city village district border coast harbour airport railway platform train bus taxi bicycle traffic speed limit \
light lights sign signs weather rain snow wind storm flood fire water gas electric power heat heating cold warm hot \
air clean dirty old young small large big short tall high low open closed full empty half double single several \
various different similar main major minor basic simple difficult easy hard quick slow fast strong weak safe \
dangerous serious happy sorry afraid glad pleased grateful concerned worried interested involved responsible \
required necessary useful helpful suitable relevant appropriate reasonable fair clear obvious unclear uncertain \
certain likely unlikely able unable willing unwilling free busy quiet loud fine great bad better best worse worst \
less least enough extra further nearest final formal informal official private personal confidential sensitive \
restricted internal external independent senior junior deputy assistant head lead leader director commander clerk \
secretary officer adviser consultant engineer technician doctor nurse teacher student pupil volunteer visitor guest \
tell told ask asking talk talked speak spoke spoken write writing wrote written read reading hear heard listen watch \
watched show shown showed bring brought carry carried hold held keep kept leave left stay stayed move moved turn \
turned start started begin began begun stop stopped finish finished end ended continue continued change changed \
increase reduce add added remove removed replace replaced return returned include included exclude provide provided \
receive obtain obtained collect collected pass passed forward forwarded return submit submitted prepare prepared \
produce produced create created build built design designed develop arrange arranged organise organised book booked \
cancel cancelled postpone postponed confirm confirmed accept accepted refuse refused reject rejected allow allowed \
permit prevent avoid ensure consider considered believe believed understand understood remember remembered forget \
forgot expect expected hope hoped wish try tried fail failed succeed manage managed lead led follow followed join \
joined attend attended visit visited travel travelled arrive arrived drive drove driven walk walked run ran fall \
fell sit sat stand stood wait waited sleep eat drink buy bought sell sold pay paid spend spent save saved lose win \
play played teach taught learn learned study explain explained describe described mention mentioned suggest \
suggested recommend advise advised inform informed notify notified warn warned agree disagree argue complain \
complained apologise thank welcome invite invited introduce meet met visit greet thing things place places point \
points fact facts idea ideas reason reasons result results effect cause purpose aim target measure level rate \
figure figures table chart graph sheet column row line lines word words letter letters sentence language english \
group groups side top bottom front middle centre edge corner inside outside hand hands eye eyes face arm leg foot \
feet body mind voice sound noise smell colour red blue green yellow black white grey brown orange pink purple metal \
plastic glass paper cloth stone brick concrete wire cable pipe tool tools machine machines engine wheel tyre tyres";

/// Syllables of made words; none holds `q` or `x`, so no made word can be a planted one.
pub(crate) const SYLLABLES: [&str; 90] = [
    "ba", "be", "bi", "bo", "bra", "bren", "bur", "ca", "cel", "cor", "cra", "da", "del", "dor", "dra", "dun", "el",
    "en", "er", "fa", "fen", "fi", "fol", "gar", "gel", "glen", "gor", "gra", "ha", "hel", "hol", "hur", "il", "in",
    "ka", "kel", "kin", "kor", "la", "lan", "len", "lim", "lor", "lu", "ma", "mar", "mel", "mi", "mor", "mun", "na",
    "nel", "nor", "nu", "ol", "or", "pa", "pel", "pin", "por", "ra", "ren", "ri", "rol", "ru", "sa", "sel", "sin",
    "sol", "sta", "stel", "ta", "tel", "tin", "tol", "tra", "tur", "ul", "un", "va", "vel", "vin", "vor", "wa", "wel",
    "win", "wor", "ya", "yel", "za",
];

/// Endings that turn a made word into the name of a place that does not exist.
pub(crate) const PLACE_ENDINGS: [&str; 8] = ["ton", "by", "wick", "ham", "mere", "stow", "combe", "leigh"];

/// Endings of derived words.
pub(crate) const SUFFIXES: [&str; 20] = [
    "s", "ing", "ed", "er", "ers", "ly", "able", "less", "ness", "ful", "ment", "ist", "ish", "hood", "ship", "wise",
    "like", "let", "ward", "some",
];

/// Beginnings of derived words.
pub(crate) const PREFIXES: [&str; 10] = ["re", "un", "pre", "over", "out", "under", "mis", "non", "sub", "inter"];

/// Words beyond ASCII that ISO 8859-1 and windows-1252 can hold.
pub(crate) const LATIN: [&str; 16] = [
    "café",
    "façade",
    "naïve",
    "résumé",
    "über",
    "crème",
    "señor",
    "piñata",
    "élan",
    "déjà",
    "vœu",
    "garçon",
    "smörgås",
    "jalapeño",
    "fête",
    "coöperate",
];

/// Russian words (KOI8-R holds them all).
pub(crate) const CYRILLIC: [&str; 16] = [
    "дело",
    "отчет",
    "встреча",
    "письмо",
    "вопрос",
    "решение",
    "свидетель",
    "документ",
    "время",
    "город",
    "улица",
    "машина",
    "проверка",
    "начало",
    "ответ",
    "работа",
];

/// Characters with their GB 2312 bytes.
pub(crate) const GB: [(char, [u8; 2]); 32] = [
    ('中', [0xd6, 0xd0]),
    ('国', [0xb9, 0xfa]),
    ('人', [0xc8, 0xcb]),
    ('大', [0xb4, 0xf3]),
    ('学', [0xd1, 0xa7]),
    ('生', [0xc9, 0xfa]),
    ('日', [0xc8, 0xd5]),
    ('本', [0xb1, 0xbe]),
    ('的', [0xb5, 0xc4]),
    ('一', [0xd2, 0xbb]),
    ('是', [0xca, 0xc7]),
    ('不', [0xb2, 0xbb]),
    ('了', [0xc1, 0xcb]),
    ('在', [0xd4, 0xda]),
    ('有', [0xd3, 0xd0]),
    ('我', [0xce, 0xd2]),
    ('他', [0xcb, 0xfb]),
    ('这', [0xd5, 0xe2]),
    ('文', [0xce, 0xc4]),
    ('件', [0xbc, 0xfe]),
    ('会', [0xbb, 0xe1]),
    ('报', [0xb1, 0xa8]),
    ('告', [0xb8, 0xe6]),
    ('调', [0xb5, 0xf7]),
    ('查', [0xb2, 0xe9]),
    ('时', [0xca, 0xb1]),
    ('间', [0xbc, 0xe4]),
    ('地', [0xb5, 0xd8]),
    ('点', [0xb5, 0xe3]),
    ('记', [0xbc, 0xc7]),
    ('录', [0xc2, 0xbc]),
    ('案', [0xb0, 0xb8]),
];

/// KOI8-R bytes of the small letters from U+0430 to U+044F, in that order.
pub(crate) const KOI8_SMALL: [u8; 32] = [
    0xc1, 0xc2, 0xd7, 0xc7, 0xc4, 0xc5, 0xd6, 0xda, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd2, 0xd3, 0xd4,
    0xd5, 0xc6, 0xc8, 0xc3, 0xde, 0xdb, 0xdd, 0xdf, 0xd9, 0xd8, 0xdc, 0xc0, 0xd1,
];

/// Given names of people who do not exist.
pub(crate) const FIRST_NAMES: [&str; 48] = [
    "Ardwen",
    "Briselle",
    "Corvane",
    "Delphira",
    "Edrick",
    "Faelan",
    "Gwendar",
    "Hestoria",
    "Ivorel",
    "Jaspera",
    "Kelwyn",
    "Lorcana",
    "Merrido",
    "Nymerel",
    "Osbrand",
    "Perrilyn",
    "Quenbert",
    "Rosmunde",
    "Sylvano",
    "Tamsielle",
    "Ulfgard",
    "Verityne",
    "Wilfrick",
    "Ysolde",
    "Zephrine",
    "Aldovar",
    "Bettrice",
    "Caspiana",
    "Dunmorra",
    "Elspira",
    "Fennick",
    "Godrana",
    "Hallbert",
    "Isaveth",
    "Jorrick",
    "Kestevane",
    "Lysandro",
    "Mirabeth",
    "Norvane",
    "Ottolie",
    "Prudella",
    "Roderisk",
    "Saffrona",
    "Theobalt",
    "Ursimund",
    "Vandrick",
    "Wenlocke",
    "Yorrina",
];

/// Family names of people who do not exist.
pub(crate) const FAMILY_NAMES: [&str; 96] = [
    "Quillfeather",
    "Thornapple",
    "Mossgrave",
    "Brackenhurst",
    "Candlewick",
    "Drizzleton",
    "Emberlow",
    "Fiddlewood",
    "Gorsebank",
    "Hazelmarsh",
    "Inkersole",
    "Juniperton",
    "Kettlestone",
    "Larkwhistle",
    "Mudlarke",
    "Nettlefold",
    "Oddcastle",
    "Pepperdyne",
    "Quickthorn",
    "Rumblebee",
    "Sandpiper",
    "Tanglewood",
    "Umberfield",
    "Vinterby",
    "Wobblegate",
    "Yarrowmere",
    "Zinnamon",
    "Ashbucket",
    "Bumblecroft",
    "Clutterbeck",
    "Dandelow",
    "Elderpike",
    "Foxtrotter",
    "Glimmerside",
    "Hobblethwaite",
    "Ivywhistle",
    "Jackdawson",
    "Kingfisk",
    "Lanternby",
    "Marrowfat",
    "Ninepence",
    "Owlerton",
    "Pondweed",
    "Quagmyre",
    "Rooksbane",
    "Snowberry",
    "Thimblemoor",
    "Underlark",
    "Velvetree",
    "Wintergorse",
    "Yellowham",
    "Zigzagger",
    "Appleglen",
    "Bogtrotter",
    "Cobblepot",
    "Dewdropper",
    "Eiderdown",
    "Ferntickle",
    "Goosefoot",
    "Honeywell-Marsh",
    "Inglenooke",
    "Jellicoat",
    "Knotgrass",
    "Lilywhiter",
    "Muddlestone",
    "Needlethorp",
    "Otterspool",
    "Primroser",
    "Quiverfull",
    "Ragwort",
    "Sorrelby",
    "Thistlewaite",
    "Upshotter",
    "Vetchling",
    "Whistlecroft",
    "Yewbarrow",
    "Acornby",
    "Bilberrow",
    "Crumpleton",
    "Duckworthy",
    "Eggleshaw",
    "Frostpickle",
    "Gristlewood",
    "Hollyhocker",
    "Icklefield",
    "Joblinger",
    "Kipperby",
    "Limpetson",
    "Mothballer",
    "Noggins",
    "Oatcake",
    "Plumduffer",
    "Quaverly",
    "Rhubarber",
    "Spindrifter",
    "Toadflax",
];

/// Domains of organisations that do not exist, under the top-level domain reserved for examples (RFC 2606).
pub(crate) const OUTSIDE_DOMAINS: [&str; 16] = [
    "brindlewick-haulage.example",
    "post.example",
    "mail.example",
    "tarrow-herald.example",
    "quaymoor-council.example",
    "lantern-legal.example",
    "fiddlewood-fleet.example",
    "gorse-and-gorse.example",
    "oddcastle-college.example",
    "wobblegate-repairs.example",
    "inbox.example",
    "umber-print.example",
    "kettle-catering.example",
    "northtarrow-clinic.example",
    "pepperdyne-it.example",
    "webpost.example",
];

/// Ranks and grades, with the unit.
pub(crate) const RANKS: [&str; 8] = ["PC", "PS", "DC", "DS", "DI", "DCI", "Insp", "Police Staff"];

/// Units of the fictional force.
pub(crate) const UNITS: [&str; 8] = [
    "Professional Standards Department",
    "Quaymoor Response",
    "Fiddlewood CID",
    "Roads Policing",
    "Information Management",
    "Custody Services",
    "Legal Services",
    "Oddcastle Neighbourhood Team",
];
