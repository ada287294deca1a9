//! Identifiers of properties that are read here ([MS-OXPROPS] section 2), and property sets ([MS-OXPROPS] section 1.3.2).
//!
//! Invariant: a constant is the identifier only; the type is looked at where the value is.

use crate::property::PropertySet;

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $canonical:literal;)*) => {
        $( #[doc = concat!("PidTag", $canonical, ".")] pub const $name: u16 = $id; )*
    };
}

identifiers! {
    IMPORTANCE = 0x0017, "Importance";
    MESSAGE_CLASS = 0x001A, "MessageClass";
    PRIORITY = 0x0026, "Priority";
    SENSITIVITY = 0x0036, "Sensitivity";
    SUBJECT = 0x0037, "Subject";
    CLIENT_SUBMIT_TIME = 0x0039, "ClientSubmitTime";
    REPRESENTING_SEARCH_KEY = 0x003B, "SentRepresentingSearchKey";
    SUBJECT_PREFIX = 0x003D, "SubjectPrefix";
    REPRESENTING_NAME = 0x0042, "SentRepresentingName";
    ORIGINAL_MESSAGE_CLASS = 0x004B, "OriginalMessageClass";
    REPLY_TO_ENTRIES = 0x004F, "ReplyRecipientEntries";
    REPLY_TO_NAMES = 0x0050, "ReplyRecipientNames";
    START_DATE = 0x0060, "StartDate";
    END_DATE = 0x0061, "EndDate";
    OWNER_APPOINTMENT_ID = 0x0062, "OwnerAppointmentId";
    RESPONSE_REQUESTED = 0x0063, "ResponseRequested";
    REPRESENTING_ADDRESS_TYPE = 0x0064, "SentRepresentingAddressType";
    REPRESENTING_ADDRESS = 0x0065, "SentRepresentingEmailAddress";
    CONVERSATION_TOPIC = 0x0070, "ConversationTopic";
    CONVERSATION_INDEX = 0x0071, "ConversationIndex";
    TRANSPORT_HEADERS = 0x007D, "TransportMessageHeaders";
    RECIPIENT_TYPE = 0x0C15, "RecipientType";
    SENDER_NAME = 0x0C1A, "SenderName";
    SENDER_ADDRESS_TYPE = 0x0C1E, "SenderAddressType";
    SENDER_ADDRESS = 0x0C1F, "SenderEmailAddress";
    DISPLAY_BCC = 0x0E02, "DisplayBcc";
    DISPLAY_CC = 0x0E03, "DisplayCc";
    DISPLAY_TO = 0x0E04, "DisplayTo";
    DELIVERY_TIME = 0x0E06, "MessageDeliveryTime";
    MESSAGE_FLAGS = 0x0E07, "MessageFlags";
    NORMALIZED_SUBJECT = 0x0E1D, "NormalizedSubject";
    BODY = 0x1000, "Body";
    RTF_COMPRESSED = 0x1009, "RtfCompressed";
    HTML = 0x1013, "Html or PidTagBodyHtml";
    MESSAGE_ID = 0x1035, "InternetMessageId";
    REFERENCES = 0x1039, "InternetReferences";
    IN_REPLY_TO = 0x1042, "InReplyToId";
    DISPLAY_NAME = 0x3001, "DisplayName";
    ADDRESS_TYPE = 0x3002, "AddressType";
    EMAIL_ADDRESS = 0x3003, "EmailAddress";
    CREATION_TIME = 0x3007, "CreationTime";
    MODIFICATION_TIME = 0x3008, "LastModificationTime";
    ATTACH_DATA = 0x3701, "AttachDataBinary or PidTagAttachDataObject";
    ATTACH_ENCODING = 0x3702, "AttachEncoding";
    ATTACH_EXTENSION = 0x3703, "AttachExtension";
    ATTACH_FILENAME = 0x3704, "AttachFilename";
    ATTACH_METHOD = 0x3705, "AttachMethod";
    ATTACH_LONG_FILENAME = 0x3707, "AttachLongFilename";
    ATTACH_PATHNAME = 0x3708, "AttachPathname";
    ATTACH_RENDERING = 0x3709, "AttachRendering";
    ATTACH_TAG = 0x370A, "AttachTag";
    RENDERING_POSITION = 0x370B, "RenderingPosition";
    ATTACH_TRANSPORT_NAME = 0x370C, "AttachTransportName";
    ATTACH_LONG_PATHNAME = 0x370D, "AttachLongPathname";
    ATTACH_MIME_TAG = 0x370E, "AttachMimeTag";
    ATTACH_CONTENT_ID = 0x3712, "AttachContentId";
    ATTACH_CONTENT_LOCATION = 0x3713, "AttachContentLocation";
    ATTACH_FLAGS = 0x3714, "AttachFlags";
    ACCOUNT = 0x3A00, "Account";
    GIVEN_NAME = 0x3A06, "GivenName";
    BUSINESS_PHONE = 0x3A08, "BusinessTelephoneNumber";
    HOME_PHONE = 0x3A09, "HomeTelephoneNumber";
    SURNAME = 0x3A11, "Surname";
    COMPANY = 0x3A16, "CompanyName";
    TITLE = 0x3A17, "Title";
    DEPARTMENT = 0x3A18, "DepartmentName";
    PRIMARY_PHONE = 0x3A1A, "PrimaryTelephoneNumber";
    BUSINESS_PHONE_2 = 0x3A1B, "Business2TelephoneNumber";
    MOBILE_PHONE = 0x3A1C, "MobileTelephoneNumber";
    OTHER_PHONE = 0x3A1F, "OtherTelephoneNumber";
    BUSINESS_FAX = 0x3A24, "BusinessFaxNumber";
    HOME_FAX = 0x3A25, "HomeFaxNumber";
    BIRTHDAY = 0x3A42, "Birthday";
    MIDDLE_NAME = 0x3A44, "MiddleName";
    NICKNAME = 0x3A4F, "Nickname";
    BUSINESS_HOME_PAGE = 0x3A51, "BusinessHomePage";
    INTERNET_CODEPAGE = 0x3FDE, "InternetCodepage";
    MESSAGE_LOCALE = 0x3FF1, "MessageLocaleId";
    SMTP_ADDRESS = 0x39FE, "SmtpAddress";
    MESSAGE_CODEPAGE = 0x3FFD, "MessageCodepage";
    STORE_SUPPORT_MASK = 0x340D, "StoreSupportMask";
    SENDER_SMTP = 0x5D01, "SenderSmtpAddress";
    REPRESENTING_SMTP = 0x5D02, "SentRepresentingSmtpAddress";
    RECIPIENT_FLAGS = 0x5FFD, "RecipientFlags";
    ATTACHMENT_HIDDEN = 0x7FFE, "AttachmentHidden";
}

/// A property set from its first number, of the shape `{xxxxxxxx-0000-0000-C000-000000000046}`.
const fn ole_set(first: u32) -> PropertySet {
    let b = first.to_le_bytes();
    PropertySet([b[0], b[1], b[2], b[3], 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46])
}

/// PS_MAPI: names of identifiers below 0x8000.
pub const SET_MAPI: PropertySet = ole_set(0x0002_0328);
/// PS_PUBLIC_STRINGS.
pub const SET_PUBLIC_STRINGS: PropertySet = ole_set(0x0002_0329);
/// PSETID_Common.
pub const SET_COMMON: PropertySet = ole_set(0x0006_2008);
/// PSETID_Address: contacts.
pub const SET_ADDRESS: PropertySet = ole_set(0x0006_2004);
/// PS_INTERNET_HEADERS.
pub const SET_INTERNET_HEADERS: PropertySet = ole_set(0x0002_0386);
/// PSETID_Appointment.
pub const SET_APPOINTMENT: PropertySet = ole_set(0x0006_2002);
/// PSETID_Task.
pub const SET_TASK: PropertySet = ole_set(0x0006_2003);
/// PSETID_Log: journal.
pub const SET_LOG: PropertySet = ole_set(0x0006_200A);
/// PSETID_Note: sticky notes.
pub const SET_NOTE: PropertySet = ole_set(0x0006_200E);
/// PSETID_Meeting `{6ED8DA90-450B-101B-98DA-00AA003F1305}`.
pub const SET_MEETING: PropertySet = PropertySet([
    0x90, 0xDA, 0xD8, 0x6E, 0x0B, 0x45, 0x1B, 0x10, 0x98, 0xDA, 0x00, 0xAA, 0x00, 0x3F, 0x13, 0x05,
]);
