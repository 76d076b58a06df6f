use std::io::Write as _;
use std::net::TcpListener;

use super::*;

fn shell(script: &str) -> Step {
    Step {
        program: PathBuf::from("/bin/sh"),
        arguments: vec!["-c".into(), script.into()],
        directory: PathBuf::from("/"),
        ..Step::default()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Namespaces are a machine's to give; where it gives none these tests would prove nothing, and say so.
fn sandbox() -> Option<Sandbox> {
    let sandbox = Sandbox::new(Mode::Auto).expect("auto never fails");
    if !sandbox.isolation().has_fixed_places() {
        println!("skipped: {:?}", probe().refusals);
        return None;
    }
    Some(sandbox)
}

#[test]
fn a_step_cannot_reach_a_listener_of_the_host() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    if std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        println!("skipped: the tests run without a loopback interface");
        return;
    }
    let connect = format!("exec 3<>/dev/tcp/127.0.0.1/{port} && echo reached");
    let step = Step { program: PathBuf::from("/bin/bash"), ..shell(&connect) };
    let open = run(&step, Mode::None).unwrap();
    assert_eq!(text(&open.stdout), "reached\n", "the listener is there: {}", text(&open.stderr));
    let Some(sandbox) = sandbox() else { return };
    let cut = sandbox.run(&step).unwrap();
    assert!(!cut.status.success());
    assert_eq!(text(&cut.stdout), "");
    assert!(
        text(&cut.stderr).contains("refused") || text(&cut.stderr).contains("unreachable"),
        "{}",
        text(&cut.stderr)
    );
}

#[test]
fn the_world_is_read_only_but_for_writable_binds_home_and_tmp() {
    let Some(sandbox) = sandbox() else { return };
    let directory = tempfile::tempdir().unwrap();
    let (shown, work) = (directory.path().join("shown"), directory.path().join("work"));
    fs_err::create_dir(&shown).unwrap();
    fs_err::create_dir(&work).unwrap();
    fs_err::write(shown.join("input"), "in").unwrap();
    let script = "cat /packhouse/shown/input; pwd; cat /proc/sys/kernel/hostname
        for place in / /usr /etc /var /root /home /packhouse /packhouse/shown; do
            if [ -d $place ] && touch $place/x 2>/dev/null; then echo wrote $place; fi
        done
        for place in /tmp $HOME /packhouse/work /dev/shm; do touch $place/x || echo cannot write $place; done
        ls /run /tmp | grep -v '^x$'; umask; echo $HOME $TMPDIR $LC_ALL $TZ $PATH";
    let step = Step {
        directory: PathBuf::from("/packhouse/work"),
        environment: vec![("PATH".to_owned(), "/opt/tool".into())],
        binds: vec![Bind::read_only(&shown, "/packhouse/shown"), Bind::writable(&work, "/packhouse/work")],
        ..shell(script)
    };
    let output = sandbox.run(&step).unwrap();
    let expected = "in/packhouse/work\npackhouse\n/run:\n\n/tmp:\n0022\n\
                    /packhouse/home /tmp C.UTF-8 UTC /opt/tool:/usr/bin:/bin\n";
    assert_eq!(text(&output.stdout), expected, "{}", text(&output.stderr));
    assert!(work.join("x").is_file());
    assert!(output.isolation.contains("network"), "{}", output.isolation);
    assert_eq!(sandbox.inside(&step.binds, &work.join("a/b")), Path::new("/packhouse/work/a/b"));
}

#[test]
fn without_isolation_fixed_places_are_the_machines_own_paths() {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(Mode::None).unwrap();
    let step = Step {
        directory: PathBuf::from("/packhouse/work"),
        binds: vec![Bind::writable(directory.path(), "/packhouse/work")],
        ..shell("pwd; touch here; echo $HOME")
    };
    let output = sandbox.run(&step).unwrap();
    let lines = text(&output.stdout);
    assert!(lines.starts_with(&format!("{}\n", directory.path().display())), "{lines}");
    assert!(directory.path().join("here").is_file());
    assert!(lines.trim_end().ends_with("/home") && lines.contains("packhouse-step-"), "{lines}");
    assert_eq!(output.isolation, "none");
    assert_eq!(sandbox.inside(&step.binds, directory.path()), directory.path());
}

#[test]
fn the_environment_is_clean_and_no_descriptor_is_inherited() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"secret").unwrap();
    let inherited = rustix::io::dup(&file).unwrap();
    let flags = rustix::io::fcntl_getfd(&inherited).unwrap();
    rustix::io::fcntl_setfd(&inherited, flags & !rustix::io::FdFlags::CLOEXEC).unwrap();
    for mode in [Mode::Auto, Mode::None] {
        let output = run(
            &shell("env | grep -c -v -E '^(PATH|HOME|TMPDIR|LC_ALL|TZ|PWD|_|SHLVL|OLDPWD)='; ls /proc/$$/fd"),
            mode,
        )
        .unwrap();
        assert_eq!(text(&output.stdout).split_whitespace().next(), Some("0"), "{}", text(&output.stdout));
        assert!(text(&output.stdout).split_whitespace().count() <= 5, "{}", text(&output.stdout));
    }
}

#[test]
fn root_keeps_no_capability_that_could_undo_the_isolation() {
    let Some(sandbox) = sandbox() else { return };
    let output =
        sandbox.run(&shell("mount -t tmpfs none /mnt; grep -E 'CapEff|NoNewPrivs' /proc/self/status")).unwrap();
    let status = text(&output.stdout);
    assert!(text(&output.stderr).contains("mount"), "{}", text(&output.stderr));
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    assert!(status.contains("CapEff:\t00000000000000ff") || status.contains("CapEff:\t0000000000000000"), "{status}");
}

#[test]
fn output_is_bounded_and_comes_as_it_is_written() {
    let mut seen = 0;
    let output = Sandbox::new(Mode::None)
        .unwrap()
        .run_with(&shell("head -c 3000000 /dev/zero; echo end; echo problem >&2; exit 7"), &mut |_, piece| {
            seen += piece.len();
        })
        .unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(output.stdout.len(), OUTPUT_LIMIT);
    assert!(output.stdout.ends_with(b"end\n"));
    assert_eq!(output.stderr, b"problem\n");
    assert_eq!(seen, 3_000_000 + 4 + 8);
}

#[test]
fn what_a_step_leaves_running_is_ended_with_it() {
    let started = std::time::Instant::now();
    let output = run(&shell("sleep 60 & echo $!"), Mode::Auto).unwrap();
    assert!(started.elapsed() < std::time::Duration::from_secs(20));
    let pid = text(&output.stdout).trim().to_owned();
    let status = fs_err::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    assert!(status.is_empty() || status.contains("State:\tZ"), "{status}");
}

#[test]
fn a_missing_program_a_missing_bind_and_an_unknown_mode_are_told_apart() {
    let missing = Step { program: PathBuf::from("/nowhere/python"), ..shell("") };
    let error = run(&missing, Mode::Auto).unwrap_err();
    assert!(matches!(error, Error::Start { .. }), "{error}");
    assert_eq!(error.exit_code(), ExitCode::Environment);
    if sandbox().is_some() {
        let bind = Bind::read_only("/nowhere/at/all", "/packhouse/x");
        let error = run(&Step { binds: vec![bind], ..shell("") }, Mode::Auto).unwrap_err();
        assert!(error.to_string().starts_with("cannot show /nowhere/at/all at /packhouse/x"), "{error}");
        let bind = Bind::read_only("/usr", "opt/relative");
        assert!(matches!(run(&Step { binds: vec![bind], ..shell("") }, Mode::Auto), Err(Error::Bind { .. })));
    }
    let elsewhere = Step { directory: PathBuf::from("/nowhere"), ..shell("") };
    let error = run(&elsewhere, Mode::Auto).unwrap_err();
    assert!(error.to_string().contains("changing to the directory /nowhere"), "{error}");
    assert_eq!(Mode::parse("require").unwrap(), Mode::Require);
    assert_eq!(Mode::parse("yes").unwrap_err().exit_code(), ExitCode::Usage);
}

#[test]
fn a_place_that_the_host_has_not_is_made_beside_what_is_there() {
    if sandbox().is_none_or(|sandbox| !sandbox.isolation().has_fixed_places()) {
        println!("skipped: no mount namespaces here");
        return;
    }
    let shown = tempfile::tempdir().unwrap();
    fs_err::write(shown.path().join("file"), "here").unwrap();
    let binds = vec![
        Bind::read_only(shown.path(), "/usr/lib/packhouse-test/one"),
        Bind::read_only(shown.path(), "/usr/lib/packhouse-test/two"),
    ];
    let script = "cat /usr/lib/packhouse-test/one/file /usr/lib/packhouse-test/two/file; ls /usr/lib; \
                  touch /usr/lib/x /usr/lib/packhouse-test/x 2>/dev/null && echo writable";
    let output = run(&Step { binds, ..shell(script) }, Mode::Auto).unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines();
    assert_eq!(lines.next().map(|line| line.starts_with("herehere")), Some(true), "{text}");
    for entry in fs_err::read_dir("/usr/lib").unwrap() {
        assert!(text.contains(&*entry.unwrap().file_name().to_string_lossy()), "{text}");
    }
    assert!(!text.contains("writable"), "{text}");
    assert!(!std::path::Path::new("/usr/lib/packhouse-test").exists());
}

#[test]
fn a_step_whose_time_is_over_is_killed() {
    let began = std::time::Instant::now();
    let step = Step { time_limit: Some(std::time::Duration::from_millis(300)), ..shell("echo begun; sleep 600") };
    let output = run(&step, Mode::Auto).unwrap();
    assert!(output.timed_out && !output.status.success());
    assert_eq!(output.stdout, b"begun\n");
    assert!(began.elapsed() < std::time::Duration::from_secs(60));
}

#[test]
fn a_hidden_file_or_directory_is_empty_for_a_step_wherever_it_would_see_it() {
    let Some(sandbox) = sandbox() else { return };
    // Not below /tmp, which a step has its own of.
    let directory = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let (key, home) = (directory.path().join("keys/secret.asc"), directory.path().join("gnupg"));
    fs_err::create_dir_all(key.parent().unwrap()).unwrap();
    fs_err::create_dir(&home).unwrap();
    fs_err::write(&key, "secret").unwrap();
    fs_err::write(home.join("ring"), "secret").unwrap();
    let look = Step {
        binds: vec![Bind::read_only(directory.path(), "/packhouse/source")],
        ..shell(&format!(
            "cat {0}/keys/secret.asc {0}/gnupg/ring; cd /packhouse/source; cat keys/secret.asc gnupg/ring; echo done",
            directory.path().display()
        ))
    };
    assert_eq!(text(&sandbox.run(&look).unwrap().stdout), "secretsecretsecretsecretdone\n");
    hide(&key);
    hide(&home);
    hide(directory.path().join("absent"));
    let output = sandbox.run(&look).unwrap();
    assert_eq!(text(&output.stdout), "done\n", "{}", text(&output.stderr));
}

#[test]
fn a_step_does_not_see_the_environment_of_who_runs_it() {
    const NAME: &str = "sandbox::tests::a_step_does_not_see_the_environment_of_who_runs_it";
    let secret = "correct-horse-battery-staple";
    if std::env::var(crate::variables::PACKHOUSE_KEY_PASSPHRASE).is_err() {
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", NAME, "--nocapture"]).env(crate::variables::PACKHOUSE_KEY_PASSPHRASE, secret);
        let output = again.output().unwrap();
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        assert!(text(&output.stdout).contains("1 passed"), "{}", text(&output.stdout));
        return;
    }
    let own = run(&shell("env; echo end"), Mode::None).unwrap();
    assert!(text(&own.stdout).ends_with("end\n") && !text(&own.stdout).contains(secret), "{}", text(&own.stdout));
    let Some(sandbox) = sandbox() else { return };
    let step = shell("env; cat /proc/*/environ /proc/$PPID/task/*/environ; echo end");
    let output = sandbox.run(&step).unwrap();
    assert!(text(&output.stdout).ends_with("end\n"), "{}", text(&output.stdout));
    assert!(!text(&output.stdout).contains(secret), "the environment of packhouse leaks");
}
