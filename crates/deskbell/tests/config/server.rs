//! `[server]`: where it listens, who may come, and the admin token.

use super::{SECRET, assert_rendered, environment, load, usual};

fn listens(text: &str, variables: &[(&str, &str)]) -> Result<String, String> {
    let mut all = vec![("CLERK_WEBHOOK_SIGNING_SECRET", SECRET)];
    all.extend(variables);
    let loaded = load(text, &environment(&all))?;
    Ok(loaded.config.server.listen().to_string())
}

#[test]
fn where_it_listens_comes_from_the_first_that_says_it() {
    let file = "[server]\nlisten = \"localhost:4000\"\n";
    let port = ("PORT", "8080");
    let variable = ("DESKBELL_LISTEN", "[::1]:9000");
    for (text, variables, wanted) in [
        ("", &[][..], "127.0.0.1:3000"),
        ("", &[port], "0.0.0.0:8080"),
        (file, &[], "localhost:4000"),
        (file, &[port], "localhost:4000"),
        ("", &[port, variable], "[::1]:9000"),
        (file, &[port, variable], "[::1]:9000"),
    ] {
        assert_eq!(listens(text, variables).as_deref(), Ok(wanted), "{text:?} {variables:?}");
    }
}

#[test]
fn a_variable_that_says_nothing_good_is_named() {
    let error = listens("", &[("DESKBELL_LISTEN", "3000")]).unwrap_err();
    assert!(error.contains("DESKBELL_LISTEN") && error.contains("HOST:PORT"), "{error}");
    let error = listens("", &[("PORT", "tcp://10.0.0.1:80")]).unwrap_err();
    assert!(error.contains("PORT: `tcp://10.0.0.1:80` is not a port"), "{error}");
}

#[test]
fn networks_are_read_and_shown() {
    let text = "[server]\nallowed_ips = [\"44.228.126.217\", \"2600:1f24:64:8000::/56\"]\n\
                trusted_proxies = \"10.0.0.0/8\"\n";
    let server = load(text, &usual()).unwrap().config.server;
    let shown = toml::to_string(&server).unwrap();
    for wanted in ["44.228.126.217/32", "2600:1f24:64:8000::/56", "10.0.0.0/8"] {
        assert!(shown.contains(wanted), "{shown}");
    }
    let clients = server.allowed_clients();
    assert_eq!((clients.allowed_ips.len(), clients.trusted_proxies.len()), (2, 1));
}

#[test]
fn mistakes_have_their_place() {
    for (name, text) in [
        ("server_network", "[server]\nallowed_ips = [\"10.0.0.0/8\", \"10.0.0.0/33\"]\n"),
        ("server_proxy", "[server]\ntrusted_proxies = [\"my-proxy\"]\n"),
        ("server_token_with_space", "[server]\nadmin_token = \"hunter2 hunter2\"\n"),
        ("server_token_with_line_break", "[server]\nadmin_token = \"hunter2\\n\"\n"),
        ("server_tls_without_key", "[server]\ntls = { cert = \"cert.pem\" }\n"),
    ] {
        let error = load(text, &usual()).expect_err(name);
        assert!(!error.contains("hunter2"), "{error}");
        assert_rendered(name, &error);
    }
}

#[test]
fn files_of_a_certificate_begin_at_the_config_file() {
    let text = "[server]\ntls = { cert = \"cert.pem\", key = \"/etc/key.pem\" }\n";
    let files = load(text, &usual()).unwrap().config.server.tls.unwrap();
    assert!(files.cert.is_absolute() && files.cert.ends_with("cert.pem"), "{files:?}");
    assert_eq!(files.key.to_str(), Some("/etc/key.pem"));
}
