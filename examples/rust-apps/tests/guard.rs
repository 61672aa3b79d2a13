//! Who gets in.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tempfile::TempDir;

use crate::running::{APPS, Running};
use crate::tokens::{self, now};

#[tokio::test]
async fn public_pages_need_no_session() {
    for program in APPS {
        let directory = TempDir::new().unwrap();
        let app = Running::start(program, &directory).await;
        for path in ["/", "/?a=b", "/sign-in", "/sign-in?redirect_url=%2Fdashboard"] {
            assert_eq!(app.get(path).await.status(), StatusCode::OK, "{program} {path}");
        }
        assert_eq!(app.get("/sign-in/none").await.status(), StatusCode::NOT_FOUND, "{program}");
    }
}

#[tokio::test]
async fn everything_else_needs_one() {
    for program in APPS {
        let directory = TempDir::new().unwrap();
        let app = Running::start(program, &directory).await;
        for path in [
            "/dashboard",
            "/dashboard/",
            "/Sign-In",
            "/none",
            "/sign-in/%2e%2e/dashboard",
            "/sign-in//dashboard",
            "//dashboard",
        ] {
            assert_eq!(app.get(path).await.status(), StatusCode::UNAUTHORIZED, "{program} {path}");
        }
        let post = app.request(Method::POST, "/dashboard").send().await.unwrap();
        assert_eq!(post.status(), StatusCode::UNAUTHORIZED, "{program}");
    }
}

#[tokio::test]
async fn a_browser_is_sent_to_the_sign_in_page() {
    for program in APPS {
        let directory = TempDir::new().unwrap();
        let app = Running::start(program, &directory).await;
        let page = app.page("/dashboard").await;
        assert_eq!(page.status(), StatusCode::SEE_OTHER, "{program}");
        assert_eq!(page.headers()["location"], "/sign-in?redirect_url=%2Fdashboard", "{program}");
        assert_eq!(app.page("/sign-in?redirect_url=%2Fdashboard").await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_session_lets_in() {
    let authorized = tokens::with(&json!({"azp": "https://app.example"}));
    // A native app's, and one of version 1.
    let bare = tokens::with(&json!({"azp": null, "sts": null, "v": null}));
    let clocks_differ = tokens::with(&json!({"nbf": now() + 3}));
    for program in APPS {
        let directory = TempDir::new().unwrap();
        let app = Running::start(program, &directory).await;
        for token in [&tokens::valid(), &authorized, &bare, &clocks_differ] {
            let status = app.with_bearer("/dashboard", token).await.status();
            assert_eq!(status, StatusCode::OK, "{program} {token}");
        }
        let cookies = format!("theme=dark; __session={}; other=1", tokens::valid());
        assert_eq!(app.with_cookies("/dashboard", &cookies).await.status(), StatusCode::OK);
        let unknown = app.with_bearer("/none", &tokens::valid()).await.status();
        assert_eq!(unknown, StatusCode::NOT_FOUND, "{program}");
    }
}

#[tokio::test]
async fn no_other_token_does() {
    let refused = [
        ("expired", tokens::with(&json!({"exp": now() - 30}))),
        ("without an end", tokens::with(&json!({"exp": null}))),
        ("not valid yet", tokens::with(&json!({"nbf": now() + 30}))),
        ("of another issuer", tokens::with(&json!({"iss": "https://clerk.other.example"}))),
        ("without an issuer", tokens::with(&json!({"iss": null}))),
        ("for another origin", tokens::with(&json!({"azp": "https://evil.example"}))),
        ("pending", tokens::with(&json!({"sts": "pending"}))),
        ("of a JWT template", tokens::with(&json!({"sid": null}))),
        ("of an OAuth application", tokens::of_type("at+jwt")),
        ("by another key", tokens::by_another_key()),
        ("by RS512", tokens::by_rs512()),
        ("by HS256 with the public key", tokens::by_hs256()),
        ("unsigned", tokens::unsigned()),
        ("tampered with", tokens::tampered()),
        ("no token", "x".to_owned()),
        ("empty", String::new()),
    ];
    for program in APPS {
        let directory = TempDir::new().unwrap();
        let app = Running::start(program, &directory).await;
        for (what, token) in &refused {
            let status = app.with_bearer("/dashboard", token).await.status();
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{program}: {what}");
            let status =
                app.with_cookies("/dashboard", &format!("__session={token}")).await.status();
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{program}: {what}, in a cookie");
        }
    }
}
