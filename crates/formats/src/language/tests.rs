use super::*;

fn check(text: &str, expected: Option<&str>) {
    assert_eq!(language(text), expected, "{text}");
}

/// The same in many languages, written for this test.
const SENTENCES: &[(&str, &str)] = &[
    (
        "en",
        "The officer arrived at the address shortly after the call was received and spoke to two witnesses. They said that they had seen a car in front of the house.",
    ),
    (
        "de",
        "Der Beamte traf kurz nach dem Anruf an der Adresse ein und sprach mit zwei Zeugen. Sie sagten, dass sie vor dem Haus ein Auto gesehen haben.",
    ),
    (
        "fr",
        "L'agent est arrivé à l'adresse peu après l'appel et a parlé avec deux témoins. Ils ont dit qu'ils avaient vu une voiture devant la maison.",
    ),
    (
        "es",
        "El agente llegó a la dirección poco después de la llamada y habló con dos testigos. Dijeron que habían visto un coche delante de la casa.",
    ),
    (
        "it",
        "L'agente è arrivato all'indirizzo poco dopo la chiamata e ha parlato con due testimoni. Hanno detto di aver visto una macchina davanti alla casa.",
    ),
    (
        "pt",
        "O agente chegou ao endereço pouco depois da chamada e falou com duas testemunhas. Elas disseram que não tinham visto um carro em frente da casa.",
    ),
    (
        "nl",
        "De agent kwam kort na het telefoontje aan op het adres en sprak met twee getuigen. Zij zeiden dat ze een auto voor het huis hadden gezien.",
    ),
    (
        "sv",
        "Polisen kom till adressen strax efter samtalet och talade med två vittnen. De sade att de hade sett en bil framför huset och att den inte var där nu.",
    ),
    (
        "da",
        "Betjenten kom til adressen kort efter opkaldet og talte med to vidner. De sagde, at de havde set en bil foran huset, men at den blev kørt væk af nogen.",
    ),
    (
        "nb",
        "Betjenten kom til adressen kort etter oppringningen og snakket med to vitner. De sa at de hadde sett en bil foran huset, men at den ble kjørt bort av noen.",
    ),
    (
        "fi",
        "Poliisi saapui osoitteeseen pian puhelun jälkeen ja puhui kahden todistajan kanssa. He sanoivat, että he olivat nähneet auton talon edessä, mutta se ei ollut enää siellä.",
    ),
    (
        "pl",
        "Funkcjonariusz przybył pod wskazany adres krótko po telefonie i rozmawiał z dwoma świadkami. Powiedzieli, że widzieli samochód przed domem, ale nie wiedzą, czy był on tam wcześniej.",
    ),
    (
        "cs",
        "Policista přijel na adresu krátce po telefonátu a mluvil se dvěma svědky. Řekli, že viděli před domem auto, ale že už tam není.",
    ),
    (
        "sk",
        "Policajt prišiel na adresu krátko po telefonáte a hovoril s dvoma svedkami. Povedali, že videli pred domom auto, ale že už tam nie je.",
    ),
    (
        "hu",
        "A rendőr nem sokkal a hívás után megérkezett a címre, és beszélt két tanúval. Azt mondták, hogy láttak egy autót a ház előtt, de az már nem volt ott.",
    ),
    (
        "ro",
        "Agentul a ajuns la adresă la scurt timp după apel și a vorbit cu doi martori. Ei au spus că au văzut o mașină în fața casei, dar că nu mai este acolo.",
    ),
    (
        "tr",
        "Memur, aramadan kısa bir süre sonra adrese geldi ve iki tanık ile konuştu. Evin önünde bir araba gördüklerini, ama daha sonra olmadığını söylediler.",
    ),
    (
        "cy",
        "Daeth y swyddog i'r cyfeiriad yn fuan ar ôl yr alwad ac mae wedi siarad â dau dyst. Roedd y ddau yn dweud bod car o flaen y tŷ ond nid oedd neb ynddo.",
    ),
    (
        "ga",
        "Tháinig an garda go dtí an seoladh go gairid tar éis an ghlao agus labhair sé le beirt fhinnéithe. Dúirt siad go raibh carr os comhair an tí ach ní raibh aon duine ann.",
    ),
    (
        "et",
        "Politseinik jõudis aadressile varsti pärast kõnet ja rääkis kahe tunnistajaga. Nad ütlesid, et nägid auto maja ees, aga see ei olnud enam seal.",
    ),
    (
        "lv",
        "Policists ieradās adresē drīz pēc zvana un runāja ar diviem lieciniekiem. Viņi teica, ka pie mājas bija mašīna, bet tas jau vairs nav tur.",
    ),
    (
        "lt",
        "Pareigūnas atvyko adresu netrukus po skambučio ir kalbėjo su dviem liudytojais. Jie sakė, kad prie namo buvo automobilis, bet jis jau ne ten.",
    ),
    (
        "ca",
        "L'agent va arribar a l'adreça poc després de la trucada i va parlar amb dos testimonis. Van dir que havien vist un cotxe davant de la casa, però que no hi era.",
    ),
    (
        "id",
        "Petugas itu tiba di alamat tersebut tidak lama setelah panggilan dan berbicara dengan dua saksi. Mereka mengatakan bahwa ada mobil yang berada di depan rumah.",
    ),
    (
        "sl",
        "Policist je prispel na naslov kmalu po klicu in govoril z dvema pričama. Povedali sta, da sta pred hišo videli avto, ki pa ga zdaj ni več tam.",
    ),
    (
        "hr",
        "Policajac je stigao na adresu ubrzo nakon poziva i razgovarao s dva svjedoka. Rekli su da su ispred kuće vidjeli auto, ali da ga sada više nije bilo.",
    ),
    (
        "ru",
        "Сотрудник прибыл по адресу вскоре после звонка и поговорил с двумя свидетелями. Они сказали, что видели машину у дома, но её уже там не было.",
    ),
    (
        "uk",
        "Поліцейський прибув за адресою невдовзі після дзвінка і поговорив із двома свідками. Вони сказали, що бачили машину біля будинку, але її вже там не було.",
    ),
    (
        "bg",
        "Полицаят пристигна на адреса малко след обаждането и говори с двама свидетели. Те казаха, че са видели кола пред къщата, но тя вече не е била там.",
    ),
    (
        "sr",
        "Полицајац је стигао на адресу убрзо после позива и разговарао са два сведока. Рекли су да су видели ауто испред куће, али да га више није било.",
    ),
    (
        "el",
        "Ο αστυνομικός έφτασε στη διεύθυνση λίγο μετά την κλήση και μίλησε με δύο μάρτυρες. Είπαν ότι είδαν ένα αυτοκίνητο μπροστά στο σπίτι.",
    ),
    (
        "ja",
        "警官は通報を受けてすぐに現場に到着し、二人の目撃者から話を聞きました。その後、報告書を作成して提出しました。",
    ),
    (
        "zh",
        "警官接到报警后很快赶到现场，并与两名目击者进行了交谈。他们说看到房子前面停着一辆汽车，但是后来汽车不见了，没有人知道去了哪里。",
    ),
    (
        "ko",
        "경찰관은 신고를 받고 곧바로 현장에 도착하여 두 명의 목격자와 이야기를 나누었습니다. 그들은 집 앞에서 자동차를 보았다고 말했습니다.",
    ),
    (
        "ar",
        "وصل الشرطي إلى العنوان بعد وقت قصير من المكالمة وتحدث مع شاهدين. قالا إنهما رأيا سيارة أمام المنزل ولكنها لم تعد هناك الآن.",
    ),
    (
        "he",
        "השוטר הגיע לכתובת זמן קצר אחרי השיחה ודיבר עם שני עדים. הם אמרו שראו מכונית לפני הבית אבל היא כבר לא הייתה שם.",
    ),
    (
        "hi",
        "अधिकारी फोन आने के कुछ ही देर बाद पते पर पहुँचे और दो गवाहों से बात की। उन्होंने कहा कि उन्होंने घर के सामने एक गाड़ी देखी थी।",
    ),
    (
        "th",
        "เจ้าหน้าที่มาถึงที่อยู่หลังจากได้รับโทรศัพท์ไม่นานและได้พูดคุยกับพยานสองคน พวกเขาบอกว่าเห็นรถอยู่หน้าบ้าน",
    ),
];

#[test]
fn sentences_are_told_in_their_language() {
    for (code, text) in SENTENCES {
        check(text, Some(code));
        assert!(embley_model::language::code_of(code).is_some());
    }
}

#[test]
fn words_alone_tell_most_languages_of_the_table() {
    let told = |code: &str, text: &str| {
        by_words(&Sample::of(text)) == LANGUAGES.iter().map(|(one, _)| *one).find(|one| *one == code)
    };
    let of_table = SENTENCES
        .iter()
        .filter(|(code, _)| LANGUAGES.iter().any(|(one, _)| one == code));
    let missed: Vec<&str> = of_table
        .clone()
        .filter(|(code, text)| !told(code, text))
        .map(|(code, _)| *code)
        .collect();
    assert!(missed.len() * 5 <= of_table.count(), "{missed:?}");
}

#[test]
fn what_is_short_or_says_nothing_stays_undetermined() {
    for text in [
        "",
        "yes",
        "Thanks, see you on Monday.",
        "Smith, Jones, Kaminski, Skilling, Delainey, Lavorato, Kitchen, Whalley, Fastow, Causey",
        "XKJD-2231 QWPL-8841 ZZRT-0192 MMNB-5521 LLKJ-7765 PPOI-1123 UUYT-9981 QQWE-4432 HHGF-8877",
        "0x0042a3 0x0042a4 0x0042a5 0x0042a6 0x0042a7 0x0042a8 0x0042a9 0x0042aa 0x0042ab 0x0042ac",
        "http://www.example.org/the/of/and/to/in/is/that/for/it/with/as/was/on/be/at/by/this/have/from",
    ] {
        check(text, None);
    }
    assert_eq!(language_or_undetermined("yes"), Some("und"));
    assert_eq!(language_or_undetermined(" -- \n"), None);
}

#[test]
fn what_a_mail_quotes_does_not_count() {
    let (de, en) = (SENTENCES[1].1, SENTENCES[0].1);
    check(&format!("> {en}\n> {en}\n{de}\n"), Some("de"));
    check(
        &format!("{de}\n\n-----Original Message-----\nFrom: A\nSubject: B\n\n{en}\n{en}"),
        Some("de"),
    );
    check(&format!("ok\n\n-----Ursprüngliche Nachricht-----\n{en}\n{en}"), None);
    check(&format!("{de}\n-- \n{en}\n{en}"), Some("de"));
    // What is passed on is.
    check(
        &format!("---------------------- Forwarded by A on 1 May ---------------------\n\nFrom: A\n{en}"),
        Some("en"),
    );
    check(
        &format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA1\n\n{en}"),
        Some("en"),
    );
}

#[test]
fn hostile_texts_are_looked_at_up_to_a_bound() {
    for text in [
        "\u{301}".repeat(100_000),
        "ﬁ".repeat(100_000),
        "a".repeat(1_000_000),
        "é,".repeat(100_000),
        "\u{2019}".repeat(100_000),
        "----------\n".repeat(10_000),
        "İ".repeat(10_000),
        "٠١٢ ".repeat(10_000),
    ] {
        assert!(Sample::of(&text).letters <= 20_000 && plain(&text).len() <= 1000);
        let _ = language(&text);
    }
}

#[test]
fn every_language_of_the_detector_has_a_code() {
    for lang in whatlang::Lang::all() {
        assert!(short_code(lang.code()).is_some(), "{lang:?}");
    }
}
