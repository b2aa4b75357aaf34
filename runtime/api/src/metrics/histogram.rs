//! The manager's histograms, as a metric.

use cofferdam_manager::Histogram;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::Labels;

/// Histograms by labels.
#[derive(Debug, Default)]
pub(super) struct Readings(Vec<(Labels, Histogram)>);

impl Readings {
    pub(super) fn push(&mut self, labels: Labels, histogram: Histogram) {
        self.0.push((labels, histogram));
    }
}

impl EncodeMetric for Readings {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        for (labels, histogram) in &self.0 {
            let buckets = histogram.buckets();
            encoder.encode_family(labels)?.encode_histogram::<NoLabelSet>(
                histogram.sum(),
                histogram.count(),
                &buckets,
                None,
            )?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}
