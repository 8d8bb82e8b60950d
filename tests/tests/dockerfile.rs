//! Dockerfile.pg and docker/: the rules that images are commonly judged by. No Docker is needed; that the
//! scripts work is tried by scripts/test-packages.sh in a bare Debian.

use std::fs;

use crm_health_tests::cluster::repository;

/// The instructions of the Dockerfile, in order: (instruction, arguments).
fn instructions() -> Vec<(String, String)> {
    let text = fs::read_to_string(repository().join("Dockerfile.pg")).expect("Dockerfile.pg");
    parse(&text)
}

fn parse(text: &str) -> Vec<(String, String)> {
    text.replace("\\\n", " ")
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (name, arguments) = line.split_once(' ').unwrap_or((line, ""));
            (name.to_owned(), arguments.trim().to_owned())
        })
        .collect()
}

/// What is wrong with a Dockerfile.
fn faults(instructions: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for stage in stages(instructions) {
        found.extend(faults_of_stage(stage));
    }
    found
}

fn stages(instructions: &[(String, String)]) -> Vec<&[(String, String)]> {
    let starts: Vec<usize> = (0..instructions.len())
        .filter(|&index| instructions[index].0 == "FROM")
        .collect();
    starts
        .iter()
        .enumerate()
        .map(|(n, &start)| {
            &instructions[start..starts.get(n + 1).copied().unwrap_or(instructions.len())]
        })
        .collect()
}

fn faults_of_stage(stage: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    let mut fault = |what: &str, line: &str| found.push(format!("{what}: {line}"));
    let image = stage[0].1.split(' ').next().unwrap_or_default();
    let tag = image.split_once(':').map_or("", |(_, tag)| tag);
    if tag.is_empty() || tag == "latest" || !tag.contains(|c: char| c.is_ascii_digit()) {
        fault("the base is not pinned", image);
    }
    for (name, arguments) in stage {
        match name.as_str() {
            "ADD" => fault("COPY says what it does", arguments),
            "RUN" if script_of(arguments).is_none() => {
                fault("a step is not a script of docker/", arguments);
            }
            "RUN"
                if !repository()
                    .join(script_of(arguments).unwrap_or_default())
                    .exists() =>
            {
                fault("no such script", arguments);
            }
            "CMD" | "ENTRYPOINT" if !is_exec(arguments) => fault("not in exec form", arguments),
            "HEALTHCHECK"
                if !arguments
                    .split_once("CMD ")
                    .is_some_and(|(_, command)| is_exec(command)) =>
            {
                fault("not in exec form", arguments);
            }
            "WORKDIR" if !arguments.starts_with('/') => fault("not absolute", arguments),
            "ENV" | "ARG"
                if arguments.to_lowercase().contains("password")
                    || arguments.to_lowercase().contains("secret") =>
            {
                fault("a secret in the image", arguments);
            }
            _ => {}
        }
    }
    // What a stage is built for is run from it; a stage that only builds is not.
    let has = |wanted: &str| stage.iter().any(|(name, _)| name == wanted);
    if has("CMD") || has("ENTRYPOINT") {
        let user = stage.iter().rev().find(|(name, _)| name == "USER");
        if user.is_none_or(|(_, user)| user.starts_with("root") || user.starts_with('0')) {
            fault("runs as root", image);
        }
        if !has("HEALTHCHECK") {
            fault("no health check", image);
        }
    }
    found
}

fn is_exec(arguments: &str) -> bool {
    serde_json::from_str::<Vec<String>>(arguments).is_ok()
}

/// The path in the repository of the script that a RUN step is.
fn script_of(arguments: &str) -> Option<String> {
    let words: Vec<String> = serde_json::from_str(arguments).ok()?;
    let script = words.first()?.trim_start_matches('/');
    script.starts_with("docker/").then(|| script.to_owned())
}

#[test]
fn the_dockerfile_keeps_the_rules() {
    let instructions = instructions();
    assert_eq!(stages(&instructions).len(), 3);
    assert_eq!(faults(&instructions), Vec::<String>::new());
}

#[test]
fn each_rule_finds_what_breaks_it() {
    let good = "FROM debian:bookworm-20250113-slim\nRUN [\"docker/install.sh\"]\nUSER postgres\nHEALTHCHECK CMD [\"true\"]\nCMD [\"postgres\"]\n";
    assert_eq!(faults(&parse(good)), Vec::<String>::new());
    for (from, to) in [
        ("debian:bookworm-20250113-slim", "debian"),
        ("debian:bookworm-20250113-slim", "debian:latest"),
        (
            "RUN [\"docker/install.sh\"]",
            "RUN apt-get install postgresql",
        ),
        ("docker/install.sh", "docker/missing.sh"),
        ("USER postgres", "USER root"),
        ("USER postgres\n", ""),
        ("HEALTHCHECK CMD [\"true\"]\n", ""),
        ("HEALTHCHECK CMD [\"true\"]", "HEALTHCHECK CMD true"),
        ("CMD [\"postgres\"]", "CMD postgres"),
        ("USER", "ADD file /\nUSER"),
        ("USER", "ENV POSTGRES_PASSWORD=x\nUSER"),
    ] {
        let broken = good.replacen(from, to, 1);
        assert_eq!(faults(&parse(&broken)).len(), 1, "{broken}");
    }
}

#[test]
fn scripts_leave_no_package_lists_and_install_nothing_unasked() {
    for entry in fs::read_dir(repository().join("docker")).expect("docker") {
        let path = entry.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "sh") {
            continue;
        }
        let (text, name) = (fs::read_to_string(&path).expect("a script"), path.display());
        assert!(
            text.contains("\nset -euo pipefail\n"),
            "{name} goes on after an error"
        );
        for line in text.lines().filter(|line| line.contains("apt-get install")) {
            assert!(line.contains("--no-install-recommends"), "{name}: {line}");
            assert!(
                text.contains("rm -rf /var/lib/apt/lists/*"),
                "{name} leaves package lists"
            );
        }
    }
}

#[test]
fn the_health_check_of_the_database_asks_check_install() {
    let instructions = instructions();
    let (_, check) = instructions
        .iter()
        .rfind(|(name, _)| name == "HEALTHCHECK")
        .expect("a health check");
    assert!(check.contains("healthy.sh"), "{check}");
    let script = fs::read_to_string(repository().join("docker/healthy.sh")).expect("the script");
    assert!(script.contains("crm_health.check_install()"));
}

#[test]
fn the_compose_file_has_no_secret_and_opens_nothing_to_the_network() {
    let text =
        fs::read_to_string(repository().join("docker/compose.yaml")).expect("docker/compose.yaml");
    for line in text.lines().filter(|line| line.contains("ports:")) {
        assert!(line.contains("127.0.0.1:"), "{line}");
    }
    for line in text.lines().map(str::trim) {
        let holds_value = ["PASSWORD:", "SECRET:", "KEY:", "URL:"]
            .iter()
            .any(|key| line.contains(key));
        assert!(!holds_value, "a secret in an environment: {line}");
    }
    for target in ["postgres", "sync"] {
        assert!(instructions().iter().any(
            |(name, arguments)| name == "FROM" && arguments.ends_with(&format!("AS {target}"))
        ));
        assert!(text.contains(&format!("target: {target} }}")), "{target}");
    }
}
