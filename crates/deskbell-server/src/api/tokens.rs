//! Tokens of the store.

use axum::extract::State;
use deskbell_admin::TokenView;
use deskbell_store::TokenRole;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{Answer, Answered, Api, By, JsonBody, Segment};
use super::query::{NoParams, Params};
use crate::problem::Problem;

/// All tokens, without their texts.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "Tokens",
    responses((status = 200, description = "All tokens", body = [TokenView]), Problem))]
pub(super) async fn list_tokens(
    State(api): State<Api>,
    Params(NoParams {}): Params<NoParams>,
) -> Answered<Vec<TokenView>> {
    Ok(Answer::ok(api.admin.tokens().await?))
}

/// The token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRequest {
    /// By what people know it.
    name: String,
    /// `viewer`, `reader` or `admin`.
    #[schema(value_type = String)]
    role: TokenRole,
}

/// A token that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreatedToken {
    name: String,
    /// `viewer`, `reader` or `admin`.
    #[schema(value_type = String)]
    role: TokenRole,
    /// Its text, which is shown only now.
    token: String,
}

/// Makes a token. Its text is shown once.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "Tokens", request_body = TokenRequest,
    responses((status = 201, description = "The token", body = CreatedToken), Problem))]
pub(super) async fn create_token(
    State(api): State<Api>,
    By(caller): By,
    Params(NoParams {}): Params<NoParams>,
    JsonBody(TokenRequest { name, role }): JsonBody<TokenRequest>,
) -> Answered<CreatedToken> {
    let token = api.admin.create_token(&caller, &name, role).await?;
    let token = token.expose().to_owned();
    Ok(Answer(StatusCode::CREATED, CreatedToken { name, role, token }))
}

/// Deletes a token, and ends the sessions that it began.
#[utoipa::path(delete, path = "/api/v1/tokens/{name}", tag = "Tokens",
    params(("name" = String, Path)),
    responses((status = 204, description = "It opens nothing any more"), Problem))]
pub(super) async fn revoke_token(
    State(api): State<Api>,
    By(caller): By,
    Segment(name): Segment,
    Params(NoParams {}): Params<NoParams>,
) -> Result<StatusCode, Problem> {
    api.admin.revoke_token(&caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
