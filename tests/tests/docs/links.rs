//! Links between documents lead somewhere.

use std::path::Path;

use crate::markdown::Document;
use crm_health_tests::cluster::repository;

#[test]
fn links_between_documents_resolve() {
    let mut broken = Vec::new();
    for document in Document::all() {
        for target in document.prose().flat_map(targets) {
            if !target.contains("://") && !resolves(&document, target) {
                broken.push(format!("{}: {target}", document.path));
            }
        }
    }
    assert!(broken.is_empty(), "links to nowhere: {broken:#?}");
}

/// What stands in `](…)`.
fn targets(line: &str) -> Vec<&str> {
    let links = line.split("](").skip(1);
    links.filter_map(|rest| rest.split(')').next()).collect()
}

fn resolves(document: &Document, target: &str) -> bool {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = Path::new(&document.path).parent().expect("a folder");
    let path = if path.is_empty() {
        Path::new(&document.path).to_owned()
    } else {
        folder.join(path)
    };
    if !repository().join(&path).exists() {
        return false;
    }
    let linked = || Document::read(&path.display().to_string());
    anchor.is_empty() || linked().headings().any(|heading| slug(heading) == anchor)
}

/// A heading as GitHub makes an anchor of it.
fn slug(heading: &str) -> String {
    let letters = heading.chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        _ => letter
            .is_alphanumeric()
            .then(|| letter.to_ascii_lowercase()),
    });
    letters.collect()
}
