//! Destinations: where the content of a group goes (RTF 1.9.1, "Destinations"; [MS-OXRTFEX] section 2.1.3).

/// A field of the information group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Title,
    Subject,
    Author,
    Operator,
    Manager,
    Company,
    Category,
    Keywords,
    Comment,
    Created,
    Modified,
    Printed,
}

/// Where content goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// The text, and the encapsulated HTML.
    Body,
    /// Text beside the body: notes, comments, headers, text of shapes. On lines of its own.
    Aside,
    /// The text only: bullets and numbers of lists.
    ListText,
    /// Nowhere.
    Skip,
    /// The font table.
    Fonts,
    /// The encapsulated HTML only.
    HtmlTag,
    /// The information group itself, and one field of it.
    Info,
    InfoField(Field),
    /// The instruction of a field.
    Instruction,
    /// Bytes of a picture, of an object, and the object's class.
    Picture,
    ObjectData,
    ObjectClass,
    /// Text twice, first for readers without Unicode.
    Unicode,
}

/// What a control word at the start of a group makes of it; `None` when it is no destination.
pub(super) fn of_word(name: &[u8], marked: bool) -> Option<Destination> {
    use Destination as D;
    let found = match name {
        b"fonttbl" => D::Fonts,
        b"colortbl"
        | b"stylesheet"
        | b"filetbl"
        | b"revtbl"
        | b"listtable"
        | b"listoverridetable"
        | b"rsidtbl"
        | b"generator"
        | b"latentstyles"
        | b"themedata"
        | b"colorschememapping"
        | b"datastore"
        | b"xmlnstbl"
        | b"mmathPr"
        | b"pgptbl"
        | b"nonshppict"
        | b"shprslt"
        | b"sn"
        | b"sp"
        | b"sv"
        | b"background"
        | b"ftnsep"
        | b"ftnsepc"
        | b"ftncn"
        | b"aftnsep"
        | b"aftnsepc"
        | b"aftncn"
        | b"bkmkstart"
        | b"bkmkend"
        | b"pn"
        | b"pntxta"
        | b"pntxtb"
        | b"nesttableprops"
        | b"nonesttables"
        | b"mhtmltag"
        | b"atnid"
        | b"atnref"
        | b"atndate"
        | b"atnparent"
        | b"atntime"
        | b"atrfstart"
        | b"atrfend"
        | b"template"
        | b"private"
        | b"falt"
        | b"panose"
        | b"blipuid"
        | b"picprop"
        | b"objalias"
        | b"objsect"
        | b"objname"
        | b"objtime"
        | b"fontemb"
        | b"datafield"
        | b"formfield"
        | b"xe"
        | b"tc"
        | b"rxe"
        | b"txe"
        | b"listname"
        | b"listlevel"
        | b"list"
        | b"userprops"
        | b"wgrffmtfilter"
        | b"ebcstart"
        | b"ebcend"
        | b"factoidname"
        | b"lsdlockedexcept"
        | b"passwordhash"
        | b"protusertbl"
        | b"oldcprops"
        | b"oldpprops"
        | b"oldsprops"
        | b"oldtprops"
        | b"hsv"
        | b"aftnsepx" => D::Skip,
        b"info" => D::Info,
        b"htmltag" => D::HtmlTag,
        b"pict" => D::Picture,
        b"objdata" => D::ObjectData,
        b"objclass" => D::ObjectClass,
        b"fldinst" => D::Instruction,
        b"upr" => D::Unicode,
        b"pntext" | b"listtext" => D::ListText,
        b"header" | b"headerl" | b"headerr" | b"headerf" | b"footer" | b"footerl" | b"footerr" | b"footerf"
        | b"footnote" | b"annotation" | b"atnauthor" | b"shptxt" | b"dptxbxtext" => D::Aside,
        // Marked groups that hold content all the same.
        b"shppict" | b"shpinst" | b"do" | b"ud" | b"moMath" | b"moMathPara" | b"shpgrp" | b"mmath" => return None,
        _ if marked => D::Skip,
        _ => return None,
    };
    Some(found)
}

/// What a control word at the start of a group inside of the information group makes of it.
pub(super) fn of_info_word(name: &[u8]) -> Destination {
    let field = match name {
        b"title" => Field::Title,
        b"subject" => Field::Subject,
        b"author" => Field::Author,
        b"operator" => Field::Operator,
        b"manager" => Field::Manager,
        b"company" => Field::Company,
        b"category" => Field::Category,
        b"keywords" => Field::Keywords,
        b"comment" | b"doccomm" => Field::Comment,
        b"creatim" => Field::Created,
        b"revtim" => Field::Modified,
        b"printim" => Field::Printed,
        b"upr" => return Destination::Unicode,
        _ => return Destination::Skip,
    };
    Destination::InfoField(field)
}

/// Characters that control words stand for, as text and as HTML ([MS-OXRTFEX] section 2.1.3.2).
pub(super) fn character(name: &[u8]) -> Option<(&'static str, &'static str)> {
    Some(match name {
        b"par" | b"line" | b"sect" | b"page" | b"column" | b"softline" | b"softpage" | b"softcol" => ("\n", "\r\n"),
        b"row" | b"nestrow" => ("\n", ""),
        b"cell" | b"nestcell" => ("\t", ""),
        b"tab" => ("\t", "\t"),
        b"lquote" => ("\u{2018}", "&lsquo;"),
        b"rquote" => ("\u{2019}", "&rsquo;"),
        b"ldblquote" => ("\u{201c}", "&ldquo;"),
        b"rdblquote" => ("\u{201d}", "&rdquo;"),
        b"bullet" => ("\u{2022}", "&bull;"),
        b"endash" => ("\u{2013}", "&ndash;"),
        b"emdash" => ("\u{2014}", "&mdash;"),
        b"emspace" => ("\u{2003}", "&emsp;"),
        b"enspace" => ("\u{2002}", "&ensp;"),
        b"qmspace" => ("\u{2005}", "\u{2005}"),
        b"zwj" => ("\u{200d}", "&zwj;"),
        b"zwnj" => ("\u{200c}", "&zwnj;"),
        b"zwbo" => ("\u{200b}", "\u{200b}"),
        b"zwnbo" => ("\u{2060}", "\u{2060}"),
        b"ltrmark" => ("\u{200e}", "&lrm;"),
        b"rtlmark" => ("\u{200f}", "&rlm;"),
        _ => return None,
    })
}

/// Characters that control symbols stand for, as text and as HTML.
pub(super) fn symbol(symbol: u8) -> Option<(&'static str, &'static str)> {
    Some(match symbol {
        b'~' => ("\u{a0}", "&nbsp;"),
        b'_' => ("\u{2011}", "&shy;"),
        b'-' => ("\u{ad}", "\u{ad}"),
        b'\r' | b'\n' => ("\n", "\r\n"),
        b'\t' => ("\t", "\t"),
        b'{' => ("{", "{"),
        b'}' => ("}", "}"),
        b'\\' => ("\\", "\\"),
        _ => return None,
    })
}
