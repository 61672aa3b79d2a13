//! The page that asks for a token.

use deskbell_admin::SignIn;
use maud::html;

use crate::layout;

/// The sign-in page. Its form goes to `/sign-in`, with `token` or `code`, and `next`.
#[must_use]
pub fn sign_in(page: SignIn<'_>) -> String {
    let content = html! {
        @if let Some(error) = page.error { div.notice.bad role="alert" { (error) } }
        form.stack method="post" action="/sign-in" {
            input type="hidden" name="next" value=(page.next);
            @if let Some(code) = page.code {
                input type="hidden" name="code" value=(code);
                p { "This link signs this browser in as an administrator. It works once." }
                button.primary type="submit" { "Sign in" }
            } @else {
                div.field {
                    label for="token" { "Access token" }
                    input id="token" type="password" name="token" required autofocus
                        autocomplete="current-password" spellcheck="false" aria-describedby="token-help";
                    p.help id="token-help" {
                        "The token of the config (" code { "admin_token" } "), or one that "
                        code { "deskbell tokens create" } " made."
                    }
                }
                button.primary type="submit" { "Sign in" }
            }
        }
    };
    layout::message("Sign in", &content).into_string()
}
