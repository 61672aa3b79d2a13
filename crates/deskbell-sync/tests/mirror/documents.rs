//! Every query in the documents runs against a mirror.

use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::support::Mirror;

const DOCUMENTS: [&str; 2] =
    [include_str!("../../../../README.md"), include_str!("../../../../docs/mirror.md")];

/// The SQL blocks, and what is quoted behind `sqlite3`.
fn queries(document: &'static str) -> Vec<&'static str> {
    let blocks = document.split("```sql\n").skip(1).filter_map(|block| block.split("```").next());
    let quoted = document
        .lines()
        .filter(|line| line.starts_with("sqlite3 ") || line.starts_with("look at it "))
        .filter_map(|line| line.split('\'').nth(1));
    blocks.chain(quoted).collect()
}

#[tokio::test]
async fn every_query_in_the_documents_runs() {
    let mirror = Mirror::new().await;
    let mut connection =
        SqliteConnection::connect(&mirror.options.database.url.with_password()).await.unwrap();
    let queries: Vec<_> = DOCUMENTS.into_iter().flat_map(queries).collect();
    assert!(queries.len() >= 3, "{queries:?}");
    for query in queries {
        let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(&mut connection).await;
        assert!(rows.is_ok(), "{query}: {:?}", rows.err());
    }
}
