//! What one node tells the others, and its form on the wire.

use std::borrow::Cow;
use std::collections::BTreeSet;

use quantum_core::id::ExecutionId;
use serde::{Deserialize, Serialize};

use crate::announcements::Announcement;

/// Bytes of one notification, which the server bounds at 8000.
const PAYLOAD_MAX: usize = 7_000;

/// Each thing once: an execution that moves on three times in a moment is one word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct News {
    /// Most of it.
    #[serde(default)]
    progress: BTreeSet<ExecutionId>,
    #[serde(default)]
    others: Vec<Announcement>,
}

#[derive(Serialize, Deserialize)]
struct Notice<'a> {
    /// Who tells: nobody hears themselves.
    from: Cow<'a, str>,
    news: Cow<'a, News>,
}

impl News {
    pub fn add(&mut self, announcement: Announcement) {
        match announcement {
            Announcement::Progress { execution } => drop(self.progress.insert(execution)),
            other if !self.others.contains(&other) => self.others.push(other),
            _ => {}
        }
    }

    /// As few as the server takes.
    pub fn payloads(mut self, from: &str) -> Vec<String> {
        let whole = serde_json::json!(Notice { from: from.into(), news: Cow::Borrowed(&self) }).to_string();
        if whole.len() <= PAYLOAD_MAX || self.progress.len() + self.others.len() < 2 {
            return vec![whole];
        }
        let half = self.halve();
        [self, half].into_iter().flat_map(|part| part.payloads(from)).collect()
    }

    fn halve(&mut self) -> Self {
        let middle = self.progress.iter().nth(self.progress.len() / 2).copied();
        Self {
            progress: middle.map(|middle| self.progress.split_off(&middle)).unwrap_or_default(),
            others: self.others.split_off(self.others.len() / 2),
        }
    }
}

/// What was told by somebody else. None: by this one, or by a node of another release, which may say what this one does
/// not know.
pub(super) fn heard(payload: &str, myself: &str) -> Option<impl Iterator<Item = Announcement>> {
    let notice: Notice<'_> = serde_json::from_str(payload).ok()?;
    let News { progress, others } = (notice.from != myself).then(|| notice.news.into_owned())?;
    let progress = progress.into_iter().map(|execution| Announcement::Progress { execution });
    Some(progress.chain(others))
}

#[cfg(test)]
mod tests {
    use quantum_core::id::TenantId;

    use super::*;

    fn freed(number: u32) -> Announcement {
        Announcement::Freed { tenant: TenantId::new(format!("t-{number}")).unwrap() }
    }

    fn progress(number: u32) -> Announcement {
        let id = format!("0198c0de-0000-7000-8000-{number:012}");
        Announcement::Progress { execution: ExecutionId::parse(&id).unwrap() }
    }

    #[test]
    fn much_is_told_in_as_many_notifications_as_the_server_needs_and_nothing_twice() {
        let told: Vec<_> = (0..500).map(progress).chain((0..500).map(freed)).collect();
        let mut news = News::default();
        told.iter().chain(&told).for_each(|announcement| news.add(announcement.clone()));
        let payloads = news.payloads("me");
        assert!(payloads.len() > 1 && payloads.iter().all(|payload| payload.len() <= PAYLOAD_MAX));
        let heard: Vec<_> =
            payloads.iter().filter_map(|payload| heard(payload, "another")).flatten().collect();
        assert_eq!(heard.len(), told.len());
        assert!(told.iter().all(|announcement| heard.contains(announcement)));
    }

    #[test]
    fn nobody_hears_themselves_or_what_they_do_not_understand() {
        let mut news = News::default();
        news.add(freed(1));
        let payload = news.payloads("me").concat();
        assert!(heard(&payload, "me").is_none() && heard(&payload, "another").is_some());
        assert!(heard(&payload.replace("freed", "invented"), "another").is_none());
    }
}
