//! A short page about each code: what `type` of a problem points to.

use axum::response::{IntoResponse, Response};
use http::header;

use crate::codes;
use crate::extract::Segment;
use crate::problem::Problem;

pub(crate) async fn get_error(Segment(code): Segment<String>) -> Result<Response, Problem> {
    let page = problem(&code).or_else(|| finding(&code)).ok_or_else(Problem::not_found)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], page).into_response())
}

fn problem(code: &str) -> Option<String> {
    let code = codes::find(code)?;
    Some(format!("{} ({})\n\nStatus {}.\n\nWhat to do: {}.\n", code.title, code.code, code.status, code.hint))
}

fn finding(code: &str) -> Option<String> {
    let found = codes::FINDINGS.iter().find(|known| known.code == code)?;
    Some(format!("{}\n\nA finding: {}. Its pointer says where.\n", found.code, found.meaning))
}
