//! As much of Markdown as the documents use: fenced blocks, headings, links.

use std::fs;
use std::path::PathBuf;

use crm_health_tests::cluster::repository;

/// A document of the repository.
pub(crate) struct Document {
    /// Its path from the repository's root.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
}

/// A fenced block.
#[derive(Debug)]
pub(crate) struct Block {
    /// The first word after the fence; empty where there is none.
    pub(crate) language: String,
    /// What stands between the fences.
    pub(crate) text: String,
    /// The line its text starts at, from 1.
    pub(crate) line: usize,
    /// What the HTML comment on the line above says.
    pub(crate) remark: Option<String>,
    /// The heading it stands under.
    pub(crate) heading: String,
    /// Whether only empty lines stand between it and the block before.
    pub(crate) follows: bool,
}

impl Document {
    /// README.md and every document of docs/.
    pub(crate) fn all() -> Vec<Self> {
        let mut paths = vec![PathBuf::from("README.md")];
        let folder = fs::read_dir(repository().join("docs")).expect("the folder docs");
        let names = folder.map(|entry| entry.expect("an entry of docs").file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        paths.extend(names.iter().map(|name| PathBuf::from("docs").join(name)));
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
        let paths = paths.iter().map(|path| path.display().to_string());
        paths.map(|path| Self::read(&path)).collect()
    }

    /// One document by its path.
    pub(crate) fn read(path: &str) -> Self {
        let text = fs::read_to_string(repository().join(path))
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        Self {
            path: path.to_owned(),
            text,
        }
    }

    /// Its fenced blocks in order.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let (mut inside, mut follows) = (false, false);
        let (mut heading, mut above) = (String::new(), "");
        for (index, line) in self.text.lines().enumerate() {
            if let Some(language) = line.strip_prefix("```") {
                if !inside {
                    blocks.push(Block {
                        language: language.to_owned(),
                        text: String::new(),
                        line: index + 2,
                        remark: remark(above),
                        heading: heading.clone(),
                        follows,
                    });
                }
                (inside, follows) = (!inside, inside);
            } else if inside {
                let block = blocks.last_mut().expect("an open block");
                block.text.push_str(line);
                block.text.push('\n');
            } else {
                follows &= line.is_empty();
                if line.starts_with('#') {
                    heading = line.trim_start_matches(['#', ' ']).to_owned();
                }
            }
            above = line;
        }
        assert!(!inside, "{}: a block has no end", self.path);
        blocks
    }

    /// The lines outside of fenced blocks.
    pub(crate) fn prose(&self) -> impl Iterator<Item = &str> {
        let mut inside = false;
        self.text.lines().filter(move |line| {
            let fence = line.starts_with("```");
            inside ^= fence;
            !inside && !fence
        })
    }

    /// Its headings, without their number signs.
    pub(crate) fn headings(&self) -> impl Iterator<Item = &str> {
        let lines = self.prose().filter(|line| line.starts_with('#'));
        lines.map(|line| line.trim_start_matches(['#', ' ']))
    }

    /// What stands under a heading, up to the next one.
    pub(crate) fn section(&self, heading: &str) -> String {
        let mut inside = false;
        let mut text = String::new();
        for line in self.text.lines() {
            if line.starts_with('#') {
                inside = line.trim_start_matches(['#', ' ']) == heading;
            } else if inside {
                text.push_str(line);
                text.push('\n');
            }
        }
        assert!(!text.is_empty(), "{} has no section {heading}", self.path);
        text
    }
}

fn remark(line: &str) -> Option<String> {
    let text = line.strip_prefix("<!--")?.strip_suffix("-->")?;
    Some(text.trim().to_owned())
}
