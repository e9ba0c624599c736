//! Signatures of Standard Webhooks, version 1: HMAC-SHA256 over id, time and body. The key stays with the host.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quantum_sdk::prelude::*;

/// The value of `webhook-signature`. The id has no full stop: it ends where the first one is.
///
/// Err: the secret `WEBHOOK_SECRET` is not there or not granted.
pub fn sign(ctx: &Context, id: &str, seconds: u64, body: &[u8]) -> Result<String> {
    let mut content = format!("{id}.{seconds}.").into_bytes();
    content.extend_from_slice(body);
    let mac = ctx.secrets().hmac_sha256("WEBHOOK_SECRET", &content)?;
    Ok(format!("v1,{}", STANDARD.encode(mac)))
}

#[cfg(test)]
mod tests {
    use quantum_sdk::testing::Host;

    use super::*;

    /// The example that the libraries of Standard Webhooks test themselves with.
    #[test]
    fn the_published_example_gets_the_published_signature() {
        let host = Host::new().secret("WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", b"{\"test\": 2432232314}");
        let signature = sign(&host.context(), id, 1_614_265_330, body).unwrap();
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
