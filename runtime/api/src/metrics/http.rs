//! HTTP requests, counted by method, route and status, with their time.
//!
//! A layer round a router ([`observe`]); several routers share one [`HttpMetrics`]. Bound: the route is the template that
//! matched, never the path; a method that is none of the usual ones counts as `other`. Cost: two short locks per request.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{Labels, register};

/// Seconds that an answer takes.
const BOUNDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0];

type Histograms = Family<Labels, Histogram, fn() -> Histogram>;

/// What HTTP requests have come to, over all routers that share it. Clones belong together.
#[derive(Debug, Clone)]
pub struct HttpMetrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    requests: Family<Labels, Counter>,
    durations: Histograms,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BOUNDS);
        HttpMetrics(Arc::new(Inner {
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
        }))
    }
}

impl HttpMetrics {
    pub(super) fn add(&self, registry: &mut Registry) {
        let help = "HTTP requests that were answered since the service started";
        register(registry, "http_requests", help, self.0.requests.clone());
        let help = "Time from the head of a request to the head of its answer";
        register(
            registry,
            "http_request_duration_seconds",
            help,
            self.0.durations.clone(),
        );
    }
}

/// Counts the requests of a router. Its `/metrics` tells of them.
pub fn observe(router: Router, metrics: &HttpMetrics) -> Router {
    router.layer(from_fn_with_state(metrics.clone(), count))
}

async fn count(State(metrics): State<HttpMetrics>, mut request: Request, next: Next) -> Response {
    let route = match request.extensions().get::<MatchedPath>() {
        Some(path) => path.as_str().to_owned(),
        None => "none".to_owned(),
    };
    let mut labels = vec![("method", method(request.method())), ("route", route)];
    request.extensions_mut().insert(metrics.clone());
    let begin = Instant::now();
    let answer = next.run(request).await;
    let durations = metrics.0.durations.get_or_create(&labels);
    durations.observe(begin.elapsed().as_secs_f64());
    drop(durations);
    labels.push(("status", answer.status().as_str().to_owned()));
    metrics.0.requests.get_or_create(&labels).inc();
    answer
}

fn method(method: &Method) -> String {
    let usual = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    match usual.contains(method) {
        true => method.as_str().to_owned(),
        false => "other".to_owned(),
    }
}
