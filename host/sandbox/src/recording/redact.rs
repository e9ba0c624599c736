//! A recording without the values of secrets, whichever of the two sides said them.

use quantum_core::recording::{Answer, Asked, Call, Cut, CutWhy, Data, HttpAnswer, Recording};
use serde_json::{Map, Value};

use crate::secret::Redactions;

/// Stands for the further pieces of a value that began in a piece before: an empty one would look like the end.
const REST: &[u8] = b"*";

/// None: a value is in what holds the recording together.
pub(super) fn recording(mut recording: Recording, redactions: &Redactions) -> Option<Recording> {
    if redactions.is_empty() {
        return Some(recording);
    }
    cut_encoded(&mut recording);
    streams(&mut recording.calls, redactions);
    let whole = serde_json::to_value(&recording).ok()?;
    let clean = value(whole, redactions);
    let text = clean.to_string();
    if redactions.holds(&text) {
        tracing::warn!("a recording is not kept: a secret of the attempt is a word of the recording's own");
        return None;
    }
    serde_json::from_value(clean).ok()
}

/// Nobody can look into a body that is compressed.
fn cut_encoded(recording: &mut Recording) {
    let Some(at) = recording.calls.iter().position(is_encoded) else { return };
    recording.calls.truncate(at + 1);
    recording.calls.iter_mut().skip(at).for_each(|call| call.answer = None);
    recording.cut = Some(Cut { calls: at as u64 + 1, why: CutWhy::Encoded });
}

fn is_encoded(call: &Call) -> bool {
    let Some(Ok(answer)) = call.answer.as_ref().and_then(Answer::read_http) else { return false };
    answer.headers.iter().any(|header| {
        header.0.eq_ignore_ascii_case("content-encoding") && !header.1.0.eq_ignore_ascii_case(b"identity")
    })
}

/// What comes in pieces, each of which may have a part of a value only.
fn streams(calls: &mut [Call], redactions: &Redactions) {
    for call in calls.iter_mut() {
        if let Some(sent) = &mut call.sent {
            pieces(&mut [&mut sent.body], redactions);
        }
        if let Some(Ok(mut answer)) = call.answer.as_ref().and_then(Answer::read_http) {
            pieces(&mut answer.pieces.iter_mut().collect::<Vec<_>>(), redactions);
            call.answer = Some(Answer::of::<HttpAnswer>(&Ok(answer)));
        }
    }
    artifacts(calls, redactions);
}

/// The pieces of each reader and of each writer.
fn artifacts(calls: &mut [Call], redactions: &Redactions) {
    let mut read = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        if let (Asked::ArtifactRead { reader, .. }, Some(Ok(bytes))) =
            (&call.asked, call.answer.as_ref().and_then(Answer::read::<Data>))
        {
            read.push((*reader, at, bytes));
        }
    }
    of_each(&mut read, redactions);
    for (_, at, bytes) in read {
        if let Some(call) = calls.get_mut(at) {
            call.answer = Some(Answer::of(&Ok(bytes)));
        }
    }
    let mut written = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        if let Asked::ArtifactWrite { writer, bytes } = &call.asked {
            written.push((*writer, at, bytes.clone()));
        }
    }
    of_each(&mut written, redactions);
    for (_, at, clean) in written {
        if let Some(Call { asked: Asked::ArtifactWrite { bytes, .. }, .. }) = calls.get_mut(at) {
            *bytes = clean;
        }
    }
}

fn of_each(all: &mut [(u64, usize, Data)], redactions: &Redactions) {
    all.sort_by_key(|(stream, at, _)| (*stream, *at));
    for stream in all.chunk_by_mut(|one, next| one.0 == next.0) {
        pieces(&mut stream.iter_mut().map(|(_, _, bytes)| bytes).collect::<Vec<_>>(), redactions);
    }
}

/// Each piece without what of a value lies in it: the first one has the label in its place.
fn pieces(all: &mut [&mut Data], redactions: &Redactions) {
    let whole: Vec<u8> = all.iter().flat_map(|piece| piece.0.iter().copied()).collect();
    let found = redactions.found(&whole);
    if found.is_empty() {
        return;
    }
    let mut from = 0;
    for piece in all.iter_mut() {
        let to = from + piece.0.len();
        let mut kept = Vec::new();
        let mut at = from;
        for (range, label) in found.iter().filter(|(range, _)| range.start < to && range.end > from) {
            kept.extend_from_slice(whole.get(at..range.start.max(at)).unwrap_or_default());
            kept.extend_from_slice(if range.start >= from { label.as_bytes() } else { REST });
            at = range.end.min(to);
        }
        kept.extend_from_slice(whole.get(at..to).unwrap_or_default());
        piece.0 = kept;
        from = to;
    }
}

/// All texts of it, and what is written in base64. Names of members are the recording's own, or those of JSON that was
/// redacted before.
fn value(value: Value, redactions: &Redactions) -> Value {
    match value {
        Value::String(text) => Value::String(redactions.text(&text, usize::MAX)),
        Value::Array(items) => items.into_iter().map(|item| self::value(item, redactions)).collect(),
        Value::Object(members) => match data(&members) {
            Some(mut data) => {
                pieces(&mut [&mut data], redactions);
                serde_json::to_value(data).unwrap_or_default()
            }
            None => Value::Object(
                members.into_iter().map(|(name, member)| (name, self::value(member, redactions))).collect(),
            ),
        },
        other => other,
    }
}

fn data(members: &Map<String, Value>) -> Option<Data> {
    let alone = members.len() == 1 && members.contains_key("base64");
    alone.then(|| serde_json::from_value(Value::Object(members.clone())).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactions() -> Redactions {
        let redactions = Redactions::default();
        redactions.add("TOKEN", "s3cr3t-value");
        redactions
    }

    #[test]
    fn a_value_is_found_however_it_is_cut_into_pieces() {
        let text = b"\xffa s3cr3t-value b s3cr3t-value";
        for size in 1..text.len() {
            let mut all: Vec<Data> = text.chunks(size).map(|piece| Data(piece.to_vec())).collect();
            pieces(&mut all.iter_mut().collect::<Vec<_>>(), &redactions());
            assert!(all.iter().all(|piece| !piece.0.is_empty()), "no piece is the end");
            let joined: Vec<u8> =
                all.into_iter().flat_map(|piece| piece.0).filter(|byte| *byte != b'*').collect();
            assert_eq!(joined, b"\xffa [secret TOKEN] b [secret TOKEN]", "{size}");
        }
    }

    #[test]
    fn a_value_in_base64_and_in_bytes_that_are_no_text_is_taken_out() {
        let mut bytes = vec![0, 0xff];
        bytes.extend_from_slice(b"s3cr3t-value");
        let kept = value(serde_json::to_value([Data(bytes)]).unwrap(), &redactions());
        let kept: Vec<Data> = serde_json::from_value(kept).unwrap();
        assert_eq!(kept.first().map(|data| data.0.as_slice()), Some(&b"\x00\xff[secret TOKEN]"[..]));
    }
}
