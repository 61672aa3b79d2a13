//! What the newest packages break in code that was right once.

use super::code::CheckCode;
use super::project::{Project, Source};
use super::report::Checks;

/// From this version on, `verify` of npm `svix` returns nothing.
const SVIX_WITHOUT_RESULT: u32 = 2;
/// From this version on, `auth()` of `@clerk/nextjs` is asynchronous.
const CLERK_NEXT_WITH_ASYNC_AUTH: u32 = 6;
/// From this version on, Next.js has `proxy.ts` for `middleware.ts`.
const NEXT_WITH_PROXY: u32 = 16;

pub(super) const SVIX_HELP: &str = "read the event from the body that was verified: \
     wh.verify(body, headers); const event = JSON.parse(body)";
pub(super) const RAW_BODY_HELP: &str = "verify the bytes as they came: in Express \
     express.raw({ type: 'application/json', limit: '1mb' }) on this route, before any express.json(); \
     in Fastify a content type parser with parseAs: 'buffer'; in Next.js await request.text()";
const FASTIFY_HELP: &str = "@clerk/fastify/webhooks verifies JSON.stringify(request.body). Keep the raw \
     body with addContentTypeParser('application/json', { parseAs: 'string' }, …), and verify it with \
     svix, or with verifyWebhook of @clerk/backend/webhooks";

/// Adds what the source shows; whether it is the handler that was asked about, the probes say.
pub(super) fn examine(project: &Project, checks: &mut Checks) {
    auth_protect(project, checks);
    proxy_file(project, checks);
    if let Some(at) = unused_result(project) {
        let found = format!("{at} uses what verify returns, which is nothing since svix 2");
        checks.warn(CheckCode::SvixResult, found, SVIX_HELP);
    }
    if let Some((at, help)) = rewritten_body(project) {
        checks.warn(
            CheckCode::ClerkRewrites,
            format!("{at} verifies a body that was parsed"),
            help,
        );
    }
}

fn auth_protect(project: &Project, checks: &mut Checks) {
    let is_async =
        project.major("@clerk/nextjs").is_some_and(|major| major >= CLERK_NEXT_WITH_ASYNC_AUTH);
    let at = is_async.then(|| first_line(project, "auth().protect(")).flatten();
    if let Some(at) = at {
        let found = format!("{at} calls auth().protect()");
        checks.fail(CheckCode::AuthProtect, found, "write `await auth.protect()`");
    }
}

fn proxy_file(project: &Project, checks: &mut Checks) {
    let Some(next) = project.major("next") else { return };
    let file = |names: &[&str]| {
        project.source(names).filter(|file| file.has("clerkMiddleware")).map(|file| &*file.path)
    };
    let middleware =
        file(&["middleware.ts", "middleware.js", "src/middleware.ts", "src/middleware.js"]);
    let proxy = file(&["proxy.ts", "proxy.js", "src/proxy.ts", "src/proxy.js"]);
    let code = CheckCode::ProxyFile;
    match (middleware, proxy) {
        (Some(middleware), Some(proxy)) if next >= NEXT_WITH_PROXY => checks.fail(
            code,
            format!("there are {middleware} and {proxy}"),
            format!("keep {proxy} alone: Next.js {next} takes one of them"),
        ),
        (Some(middleware), None) if next >= NEXT_WITH_PROXY => checks.warn(
            code,
            format!("{middleware} has its old name"),
            "rename it to proxy.ts: Next.js 16 still runs it, and says that it is deprecated",
        ),
        (None, Some(proxy)) if next < NEXT_WITH_PROXY => checks.fail(
            code,
            format!("Next.js {next} does not look for {proxy}"),
            "rename it to middleware.ts, or update to Next.js 16",
        ),
        _ => {}
    }
}

/// Where the result of `verify` is used, as `file:line`.
fn unused_result(project: &Project) -> Option<String> {
    if project.major("svix")? < SVIX_WITHOUT_RESULT {
        return None;
    }
    let sources = project.sources.iter().filter(|source| source.imports("svix"));
    sources
        .flat_map(|source| source.lines_with(".verify(").map(move |line| (source, line)))
        .find_map(|(source, (number, line))| {
            let before = line.split(".verify(").next().unwrap_or_default();
            let uses = before.contains('=') || before.starts_with("return ");
            uses.then(|| format!("{}:{number}", source.path))
        })
}

/// Where a body is parsed and written again before it is verified, and how to mend that.
fn rewritten_body(project: &Project) -> Option<(&str, &'static str)> {
    project.sources.iter().find_map(|source| {
        let help = rewrites(source)?;
        Some((source.path.as_str(), help))
    })
}

fn rewrites(source: &Source) -> Option<&'static str> {
    let is_of_pages = source.path.contains("pages/api/");
    if source.imports("@clerk/fastify/webhooks") {
        return Some(FASTIFY_HELP);
    }
    let with_express = source.imports("@clerk/express/webhooks")
        && source.has("express.json(")
        && !source.has("express.raw(");
    let with_pages = is_of_pages && source.imports("@clerk/nextjs/webhooks");
    (with_express || with_pages || source.has("JSON.stringify(req.body)")).then_some(RAW_BODY_HELP)
}

/// How to mend a body that is rewritten before it is verified, in this project.
pub(super) fn raw_body_help(project: &Project) -> &'static str {
    rewritten_body(project).map_or(RAW_BODY_HELP, |(_, help)| help)
}

fn first_line(project: &Project, text: &str) -> Option<String> {
    project.sources.iter().find_map(|source| {
        let (number, _) = source.lines_with(text).next()?;
        Some(format!("{}:{number}", source.path))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::report::Status;
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<(CheckCode, Status, String)> {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut checks = Checks::default();
        examine(&Project::read(directory.path()), &mut checks);
        let report = checks.finish(None, "");
        let checks = report.checks.into_iter().filter(|check| check.code.is_of_project());
        checks.map(|check| (check.code, check.status, check.found)).collect()
    }

    const NEXT_16: &str = r#"{"dependencies":{"next":"16.4.6","@clerk/nextjs":"^7.9.17"}}"#;
    const CLERK: &str = "import { clerkMiddleware } from '@clerk/nextjs/server'\n";

    #[test]
    fn auth_is_awaited_since_version_6() {
        let file = "export default clerkMiddleware((auth) => {\n  auth().protect()\n})";
        let file = format!("{CLERK}{file}");
        let at = "proxy.ts:3 calls auth().protect()".to_owned();
        let wanted = [(CheckCode::AuthProtect, Status::Fail, at)];
        assert_eq!(found(&[("package.json", NEXT_16), ("proxy.ts", &file)]), wanted);
        let old = r#"{"dependencies":{"next":"15.0.0","@clerk/nextjs":"5.7.0"}}"#;
        assert_eq!(found(&[("package.json", old), ("middleware.ts", &file)]), []);
    }

    #[test]
    fn the_file_of_the_middleware_is_named_after_the_version() {
        let file = |name| (name, CLERK);
        let next_15 = NEXT_16.replace("16.4.6", "15.5.9");
        let code = |files: &[_]| found(files).first().map(|(code, status, _)| (*code, *status));
        let proxy = CheckCode::ProxyFile;
        let new = ("package.json", NEXT_16);
        let old = ("package.json", &*next_15);
        assert_eq!(code(&[new, file("src/middleware.ts")]), Some((proxy, Status::Warn)));
        assert_eq!(
            code(&[new, file("middleware.ts"), file("proxy.ts")]),
            Some((proxy, Status::Fail))
        );
        assert_eq!(code(&[old, file("proxy.ts")]), Some((proxy, Status::Fail)));
        assert_eq!(code(&[new, file("proxy.ts")]), None);
        assert_eq!(code(&[old, file("middleware.ts")]), None);
    }

    #[test]
    fn svix_2_returns_nothing() {
        let file = "import { Webhook } from \"svix\"\nconst wh = new Webhook(s)\n\
                    const evt = wh.verify(body, headers) as WebhookEvent\n";
        let manifest = |version: &str| format!(r#"{{"dependencies":{{"svix":"{version}"}}}}"#);
        let (new, old) = (manifest("^2.5.0"), manifest("1.99.1"));
        let warned = found(&[("package.json", &new), ("app/route.ts", file)]);
        let [(CheckCode::SvixResult, Status::Warn, at)] = &warned[..] else { panic!("{warned:?}") };
        assert!(at.starts_with("app/route.ts:3"), "{at}");
        assert_eq!(found(&[("package.json", &old), ("app/route.ts", file)]), []);
        let mended = file.replace("const evt = wh", "wh");
        assert_eq!(found(&[("package.json", &new), ("app/route.ts", &mended)]), []);
    }

    #[test]
    fn packages_that_verify_a_parsed_body_are_named() {
        let fastify = "import { verifyWebhook } from '@clerk/fastify/webhooks'";
        let warned = found(&[("package.json", "{}"), ("server.js", fastify)]);
        assert_eq!(warned[0].0, CheckCode::ClerkRewrites);
        let express =
            "import { verifyWebhook } from '@clerk/express/webhooks'\napp.use(express.json())";
        assert_eq!(found(&[("package.json", "{}"), ("server.js", express)]).len(), 1);
        let raw = express.replace("app.use(express.json())", "app.use(express.raw())");
        assert_eq!(found(&[("package.json", "{}"), ("server.js", &raw)]), []);
    }
}
