//! Clerk's webhooks in an actix-web app, with a sign-in guard on everything but the public routes.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::ErrorInternalServerError;
use actix_web::http::header;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{Data, Html, ReqData};
use actix_web::{App as ActixApp, Error, HttpMessage as _, HttpResponse, HttpServer, web};
use clerk_webhooks::actix::{ClerkEvent, WebhookRejection};
use webhook_apps::{Access, App, Session, Visit};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = App::from_env().unwrap_or_else(|why| {
        eprintln!("{why}");
        std::process::exit(1)
    });
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(app.verifier.clone())
            .app_data(Data::new(app.clone()))
            // Around every route, and around the 404 of what is none.
            .wrap(from_fn(guard))
            .route("/", web::get().to(|| async { "This page is public." }))
            .route("/sign-in", web::get().to(sign_in))
            .route("/dashboard", web::get().to(dashboard))
            .service(web::resource("/api/webhooks").post(webhook))
    });
    let server = server.bind(App::address())?;
    for address in server.addrs() {
        println!("listening on http://{address}");
    }
    server.run().await?;
    Ok(())
}

async fn guard(
    app: Data<App>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let refusal = match app.access(visit(&request)) {
        Access::Public => return Ok(next.call(request).await?.map_into_boxed_body()),
        Access::SignedIn(session) => {
            request.extensions_mut().insert(session);
            return Ok(next.call(request).await?.map_into_boxed_body());
        }
        Access::SignInFirst(location) => {
            HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish()
        }
        Access::Unauthorized => HttpResponse::Unauthorized().finish(),
    };
    Ok(request.into_response(refusal))
}

fn visit(request: &ServiceRequest) -> Visit<'_> {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    Visit {
        path: request.uri().path(),
        authorization: header(header::AUTHORIZATION),
        cookies: header(header::COOKIE),
        accept: header(header::ACCEPT),
    }
}

async fn sign_in() -> Html {
    Html::new("<p>Clerk's sign-in component belongs here.")
}

/// `Session` is there because the guard has put it there.
async fn dashboard(app: Data<App>, session: ReqData<Session>) -> Result<String, Error> {
    let session = session.into_inner();
    let found = web::block(move || app.users.find(&session.user_id)).await?;
    Ok(match found.map_err(ErrorInternalServerError)? {
        Some(user) => format!("Hello, {}!", user.name.or(user.email).unwrap_or_default()),
        // The browser is often back from the sign-up before the event is here.
        None => "Your account is being set up.".to_owned(),
    })
}

/// It answers 2xx only when the event is stored. Whatever is answered with 2xx is not sent again.
async fn webhook(
    app: Data<App>,
    event: Result<ClerkEvent, WebhookRejection>,
) -> Result<&'static str, Error> {
    let ClerkEvent(event) = event.inspect_err(|why| eprintln!("rejected: {why}"))?;
    let applied = web::block(move || app.users.apply(&event)).await?;
    applied.inspect_err(|error| eprintln!("{error}")).map_err(internal)?;
    Ok("stored")
}

/// The database's message is for the log and not for the sender.
fn internal(_: impl std::error::Error) -> Error {
    ErrorInternalServerError("not stored")
}
