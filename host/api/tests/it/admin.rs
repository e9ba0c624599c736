//! The administrator's routes, and what a slow host says.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use quantum_api::{AdminServices, PolicyState, admin_router};
use quantum_store::{Bucket, BucketOptions, Secret};
use quantum_testing_bucket::{ACCESS_KEY, BUCKET, ObjectStore, SECRET_KEY};
use tower::ServiceExt;

use crate::world::{A, World};

async fn ask(world: &World, path: &str) -> (StatusCode, String) {
    ask_with(world, None, path).await
}

async fn ask_with(world: &World, bucket: Option<Bucket>, path: &str) -> (StatusCode, String) {
    let services = AdminServices {
        store: world.store.clone(),
        engine: world.engine.clone(),
        bucket,
        metrics: Arc::new(|| "quantum_up 1\n".to_owned()),
        policies: Arc::new(|| PolicyState { version: "0123456789abcdef".to_owned(), refused: None }),
    };
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = admin_router(services).oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn an_administrator_sees_whether_the_host_is_ready() {
    let world = World::start().await;
    assert_eq!(ask(&world, "/livez").await, (StatusCode::OK, r#"{"status":"alive"}"#.into()));
    let ready = r#"{"status":"ready","policies":{"version":"0123456789abcdef","refused":null}}"#;
    assert_eq!(ask(&world, "/readyz").await, (StatusCode::OK, ready.into()));
    assert_eq!(ask(&world, "/metrics").await, (StatusCode::OK, "quantum_up 1\n".into()));
}

#[tokio::test]
async fn a_host_whose_bucket_cannot_be_written_is_not_ready() {
    let world = World::start().await;
    let store = ObjectStore::start();
    let bucket = Bucket::new(BucketOptions {
        endpoint: Some(store.endpoint()),
        path_style: true,
        credentials: Some((ACCESS_KEY.to_owned(), Secret(SECRET_KEY.to_owned()))),
        ..BucketOptions::new(format!("s3://{BUCKET}").parse().unwrap())
    });
    let bucket = bucket.unwrap();
    store.deny_writes(true);
    bucket.probe().await.unwrap_err();
    let (status, text) = ask_with(&world, Some(bucket.clone()), "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("degraded") && text.contains("s3:PutObject"), "{text}");
    store.deny_writes(false);
    bucket.probe().await.unwrap();
    assert_eq!(ask_with(&world, Some(bucket), "/readyz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn an_answer_that_does_not_begin_in_time_is_given_up() {
    let world = World::with_limits(|limits| limits.handler = Duration::ZERO).await;
    // One that begins before the timer's next tick is in time.
    let mut answer = world.get(&world.admin(A), "/api/v1/intents").await;
    for _ in 0..1_000 {
        if answer.status != 200 {
            break;
        }
        answer = world.get(&world.admin(A), "/api/v1/intents").await;
    }
    assert_eq!(answer.problem(), (503, "timed-out".into()));
    assert_eq!(answer.header("retry-after"), "1");
}
