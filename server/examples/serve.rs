//! Serves a data folder: `cargo run -p baton-server --example serve -- DIR HOST:PORT`.

use std::{env, sync::Arc};

use baton_server::{
    config::Config, logging, metrics::Metrics, serve, shutdown::Shutdown, shutdown::StopSignals,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let mut config = Config::default();
    if let Some(data) = arguments.next() {
        config.data = data.into();
    }
    if let Some(listen) = arguments.next() {
        config.listen = listen;
    }
    let metrics = Arc::new(Metrics::new());
    let _guard = logging::install(&config, metrics.log_lines_dropped.clone())?;
    let shutdown = Shutdown::new();
    let signals = StopSignals::install()?;
    let stop = shutdown.clone();
    tokio::spawn(async move { signals.forward_to(&stop).await });
    serve(config, metrics, shutdown, |ready| tracing::info!("listening on {:?}", ready.listen)).await?;
    Ok(())
}
