//! The application's table is the same whatever the order, the batches and the repetitions.

use std::collections::{BTreeMap, BTreeSet};

use deskbell_store::StoredEvent;
use deskbell_sync::{DatabaseConfig, MirrorOptions, OnRowDelete, TableConfig};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use super::application::Application;
use super::backend::MAPPED_CASES;
use super::mapped::{pairs, team};
use super::support::{deleted, event};

/// With columns that the application's own client would give.
const TABLE: &str = "CREATE TABLE team_members (id varchar(36) NOT NULL PRIMARY KEY,
    org_id text NOT NULL, user_id text NOT NULL, role text, rank text NOT NULL, gone boolean NOT NULL DEFAULT false, UNIQUE (org_id, user_id))";
const ROWS: &str = "SELECT org_id, user_id, role, rank, gone FROM team_members ORDER BY 1, 2";

/// Something that happens to one of a few memberships.
#[derive(Debug, Clone)]
enum What {
    /// It is created or changed.
    Joins {
        id: u8,
        organization: u8,
        user: u8,
        updated_at: i64,
    },
    /// It is deleted; Clerk sends it whole.
    Leaves {
        id: u8,
        organization: u8,
        user: u8,
    },
    OrganizationGoes {
        organization: u8,
    },
    UserGoes {
        user: u8,
    },
}

#[derive(Debug, Clone)]
struct Happening {
    message_id: String,
    at: i64,
    what: What,
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let place = (0..5_u8, 0..2_u8, 0..2_u8);
    let what = prop_oneof![
        8 => (place.clone(), 1..5_i64).prop_map(|((id, organization, user), updated_at)| {
            What::Joins { id, organization, user, updated_at }
        }),
        3 => place.prop_map(|(id, organization, user)| What::Leaves { id, organization, user }),
        1 => (0..2_u8).prop_map(|organization| What::OrganizationGoes { organization }),
        1 => (0..2_u8).prop_map(|user| What::UserGoes { user }),
    ];
    prop::collection::vec((what, 1..6_i64, any::<u8>()), 1..16).prop_map(|all| {
        let number = |(index, (what, at, salt)): (usize, (What, i64, u8))| Happening {
            message_id: format!("msg_{salt:02x}{index}"),
            at: at * 1000,
            what,
        };
        all.into_iter().enumerate().map(number).collect()
    })
}

/// Memberships are created at times of their own, two of them at the same one.
fn created_at(id: u8) -> i64 {
    i64::from(id / 2) * 1000
}

impl Happening {
    fn event(&self) -> StoredEvent {
        let member = |id: u8, organization: u8, user: u8| {
            json!({
                "id": format!("orgmem_{id}"), "role": self.message_id, "created_at": created_at(id),
                "organization": { "id": format!("org_{organization}") },
                "public_user_data": { "user_id": format!("user_{user}") },
            })
        };
        let (event_type, data) = match self.what {
            What::Joins { id, organization, user, updated_at } => {
                let mut data = member(id, organization, user);
                data["updated_at"] = (updated_at * 1000).into();
                ("organizationMembership.updated", data)
            }
            What::Leaves { id, organization, user } => {
                ("organizationMembership.deleted", member(id, organization, user))
            }
            What::OrganizationGoes { organization } => {
                ("organization.deleted", deleted("organization", &format!("org_{organization}")))
            }
            What::UserGoes { user } => ("user.deleted", deleted("user", &format!("user_{user}"))),
        };
        event(&self.message_id, event_type, self.at, &data)
    }
}

/// What the table must hold, worked out from all events at once.
fn expected(happenings: &[Happening], flags: bool) -> Vec<Vec<String>> {
    type Version<'a> = (i64, i64, &'a str);
    type Delete<'a> = ((i64, &'a str), (u8, u8));
    let mut newest: BTreeMap<u8, (Version<'_>, (u8, u8))> = BTreeMap::new();
    let mut left: BTreeMap<u8, Delete<'_>> = BTreeMap::new();
    let (mut organizations, mut users) = (BTreeSet::new(), BTreeSet::new());
    for Happening { message_id, at, what } in happenings {
        match *what {
            What::Joins { id, organization, user, updated_at } => {
                let version = ((updated_at * 1000, *at, message_id.as_str()), (organization, user));
                let newest = newest.entry(id).or_insert(version);
                *newest = (*newest).max(version);
            }
            What::Leaves { id, organization, user } => {
                let end = ((*at, message_id.as_str()), (organization, user));
                let earliest = left.entry(id).or_insert(end);
                *earliest = (*earliest).min(end);
            }
            What::OrganizationGoes { organization } => drop(organizations.insert(organization)),
            What::UserGoes { user } => drop(users.insert(user)),
        }
    }
    let mut claims: BTreeMap<(u8, u8), Vec<(i64, u8)>> = BTreeMap::new();
    for id in 0..5 {
        let place = newest.get(&id).map(|(_, place)| place);
        if let Some(place) = place.or(left.get(&id).map(|(_, place)| place)) {
            claims.entry(*place).or_default().push((created_at(id), id));
        }
    }
    let mut rows = Vec::new();
    for ((organization, user), mut claims) in claims {
        claims.sort_unstable();
        let (_, owner) = claims[claims.len() - 1];
        let gone = left.contains_key(&owner)
            || organizations.contains(&organization)
            || users.contains(&user);
        let known = claims.iter().rev().find_map(|(_, id)| newest.get(id));
        if let Some(((_, _, message_id), _)) = known
            && (flags || !gone)
        {
            rows.push(vec![
                format!("org_{organization}"),
                format!("user_{user}"),
                (*message_id).to_owned(),
                "new".to_owned(),
                gone.to_string(),
            ]);
        }
    }
    rows
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn arrive(flags: bool, batches: &[Vec<StoredEvent>]) -> Vec<Vec<String>> {
    let set = OnRowDelete::Set(pairs(&[("gone", "true")]));
    let on_delete = if flags { set } else { OnRowDelete::Delete };
    let on_insert = pairs(&[("id", "uuid()"), ("rank", "'new'")]);
    let tables = vec![TableConfig { on_insert, on_delete, ..team() }];
    let options = MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables, ..DatabaseConfig::default() },
    );
    let mut app = Application::new(&[TABLE], options).await;
    for batch in batches {
        app.apply(batch).await;
    }
    assert!(app.dead_letters().await.is_empty());
    app.rows(ROWS).await
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..super::convergence::cases(MAPPED_CASES)
    })]

    #[test]
    fn any_arrival_ends_in_the_same_rows(
        happenings in happenings(),
        order in prop::collection::vec(any::<u32>(), 16),
        again in prop::collection::vec(any::<(Index, Index)>(), 0..4),
        size in 1..6_usize,
        flags: bool,
    ) {
        let mut arriving: Vec<_> = (0..happenings.len()).collect();
        arriving.sort_by_key(|index| order[*index]);
        for (which, place) in again {
            arriving.insert(place.index(arriving.len()), which.index(happenings.len()));
        }
        let events: Vec<_> = arriving.into_iter().map(|index| happenings[index].event()).collect();
        let batches: Vec<_> = events.chunks(size).map(<[_]>::to_vec).collect();
        let rows = block_on(arrive(flags, &batches));
        prop_assert_eq!(rows, expected(&happenings, flags));
    }
}
