//! What columns are called in applications, and what of a user they hold.

use deskbell_expr::Kind;

/// What columns of these names hold.
#[derive(Debug)]
pub(super) struct Rule {
    /// As [`plain`](super::names::plain) writes them.
    pub(super) names: &'static [&'static str],
    /// The expression of the value.
    pub(super) value: &'static str,
    pub(super) kind: Kind,
    /// Only new rows get it: the application's own value stays.
    pub(super) is_of_new_rows: bool,
}

/// Columns for Clerk's id of a user, the most certain ones first.
pub(super) const KEYS: &[&str] = &[
    "clerkid",
    "clerkuserid",
    "clerkuser",
    "clerk",
    "externalid",
    "externaluserid",
    "authid",
    "authuserid",
    "authproviderid",
    "userid",
    "subject",
    "sub",
    "id",
];

/// Columns that say that the row's user is gone: [when](Kind::Time), or [that](Kind::Bool).
pub(super) const DELETED: &[&str] = &["deletedat", "deletedon", "deleted", "isdeleted"];

pub(super) const RULES: &[Rule] = &[
    follows(
        &["email", "emailaddress", "primaryemail", "primaryemailaddress", "useremail", "mail"],
        PRIMARY_EMAIL,
        Kind::Text,
    ),
    follows(&["firstname", "givenname", "forename"], "user.first_name", Kind::Text),
    follows(&["lastname", "familyname", "surname"], "user.last_name", Kind::Text),
    follows(&["name", "fullname", "displayname"], "user.full_name", Kind::Text),
    follows(&["username", "handle"], "user.username", Kind::Text),
    follows(
        &[
            "imageurl",
            "image",
            "avatar",
            "avatarurl",
            "profileimage",
            "profileimageurl",
            "profilepicture",
            "profilepictureurl",
            "picture",
            "pictureurl",
            "photo",
            "photourl",
        ],
        "user.image_url",
        Kind::Text,
    ),
    follows(
        &["phone", "phonenumber", "primaryphone", "primaryphonenumber"],
        "user.primary_phone_number",
        Kind::Text,
    ),
    follows(&["locale"], "user.locale", Kind::Text),
    follows(&["timezone"], "user.timezone", Kind::Text),
    follows(&["banned", "isbanned"], "user.banned", Kind::Bool),
    follows(&["locked", "islocked"], "user.locked", Kind::Bool),
    follows(&["publicmetadata"], "user.public_metadata", Kind::Json),
    follows(&["unsafemetadata"], "user.unsafe_metadata", Kind::Json),
    follows(
        &["lastsigninat", "lastsignin", "lastloginat", "lastlogin"],
        "user.last_sign_in_at",
        Kind::Time,
    ),
    follows(&["lastactiveat", "lastseenat"], "user.last_active_at", Kind::Time),
    follows(
        &["updatedat", "updated", "updatedon", "modifiedat", "lastmodified", "lastmodifiedat"],
        "user.updated_at",
        Kind::Time,
    ),
    Rule {
        names: &["createdat", "created", "createdon", "insertedat", "signedupat", "joinedat"],
        value: "user.created_at",
        kind: Kind::Time,
        is_of_new_rows: true,
    },
];

pub(super) const PRIMARY_EMAIL: &str = "user.primary_email_address";

const fn follows(names: &'static [&'static str], value: &'static str, kind: Kind) -> Rule {
    Rule { names, value, kind, is_of_new_rows: false }
}

/// The rule for a column, by its plain name.
pub(super) fn rule_of(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.names.contains(&name))
}
