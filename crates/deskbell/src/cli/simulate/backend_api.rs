//! `simulate --backend-api`: the simulated Clerk's API, for `backfill` and `reconcile` to be tried against.

use deskbell_sim::INSTANCE_ID;
use deskbell_sim::Scenario;
use deskbell_sim::backend_api::{BackendApi, BackendApiOptions, Fault, SharedDirectory};

use crate::cli::exit::Failure;
use crate::signals::Signals;
use crate::simulate::SimulateError;

pub(super) struct Serving {
    api: BackendApi,
}

impl Serving {
    /// Serves the API, and says how to use it.
    pub(super) async fn start(port: u16, scenario: &Scenario) -> Result<Self, Failure> {
        let instance_id = scenario.instance_id.clone().unwrap_or_else(|| INSTANCE_ID.to_owned());
        let options = BackendApiOptions { instance_id, ..BackendApiOptions::default() };
        let key = options.secret_key.clone();
        let started =
            BackendApi::start_on(port, options, SharedDirectory::default(), |_| Fault::None).await;
        let api = started
            .map_err(|source| Failure::failed(SimulateError::BackendApi { port, source }))?;
        let url = api.url();
        let base = url.trim_end_matches("/v1");
        errln!("the simulated Clerk's API: {url}");
        errln!("  CLERK_API_URL={base} CLERK_SECRET_KEY={key} deskbell reconcile");
        Ok(Self { api })
    }

    pub(super) fn api(&self) -> &BackendApi {
        &self.api
    }

    /// Goes on serving until a signal comes.
    pub(super) async fn until(self, signals: &mut Signals) {
        errln!("the simulated Clerk's API stays at {}; stop it with Ctrl-C", self.api.url());
        signals.next().await;
    }
}
