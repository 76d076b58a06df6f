//! The directives of units that packhouse writes, and since which systemd they are read.
//!
//! Source: the manual pages of systemd 257 (systemd.unit(5), .service, .exec, .kill, .resource-control, .socket, .timer), whose
//! "Added in version" begins with 183; `NEWS` for 258. What is older than systemd 239, the oldest of the targets, has 0.
//! A directive that a target's systemd does not know would be a warning in the machine's journal on each start: it is
//! left out there.

/// Directives of one section with the version of systemd that brought them.
type Rows = &'static [(u32, &'static str)];

const UNIT: Rows = &[
    (
        0,
        "After AllowIsolate Before BindsTo CollectMode Conflicts DefaultDependencies Description Documentation \
         FailureAction IgnoreOnIsolate JobRunningTimeoutSec JobTimeoutAction JobTimeoutRebootArgument JobTimeoutSec \
         JoinsNamespaceOf OnFailure OnFailureJobMode PartOf PropagatesReloadTo RebootArgument RefuseManualStart \
         RefuseManualStop ReloadPropagatedFrom Requires RequiresMountsFor Requisite SourcePath StartLimitAction \
         StartLimitBurst StartLimitIntervalSec StopWhenUnneeded SuccessAction Wants \
         ConditionACPower ConditionArchitecture ConditionCapability ConditionControlGroupController \
         ConditionDirectoryNotEmpty ConditionFileIsExecutable ConditionFileNotEmpty ConditionFirstBoot ConditionGroup \
         ConditionHost ConditionKernelCommandLine ConditionKernelVersion ConditionNeedsUpdate ConditionPathExists \
         ConditionPathExistsGlob ConditionPathIsDirectory ConditionPathIsMountPoint ConditionPathIsReadWrite \
         ConditionPathIsSymbolicLink ConditionSecurity ConditionUser ConditionVirtualization \
         AssertACPower AssertArchitecture AssertCapability AssertControlGroupController AssertDirectoryNotEmpty \
         AssertFileIsExecutable AssertFileNotEmpty AssertFirstBoot AssertGroup AssertHost AssertKernelCommandLine \
         AssertKernelVersion AssertNeedsUpdate AssertPathExists AssertPathExistsGlob AssertPathIsDirectory \
         AssertPathIsMountPoint AssertPathIsReadWrite AssertPathIsSymbolicLink AssertSecurity AssertUser \
         AssertVirtualization",
    ),
    (240, "FailureActionExitStatus SuccessActionExitStatus"),
    (244, "ConditionCPUs ConditionMemory AssertCPUs AssertMemory"),
    (246, "ConditionEnvironment ConditionPathIsEncrypted AssertEnvironment AssertPathIsEncrypted"),
    (248, "ConditionCPUFeature AssertCPUFeature"),
    (
        249,
        "ConditionFirmware ConditionOSRelease AssertOSRelease OnSuccess OnSuccessJobMode PropagatesStopTo \
         StopPropagatedFrom Upholds",
    ),
    (
        250,
        "ConditionCPUPressure ConditionIOPressure ConditionMemoryPressure AssertCPUPressure AssertIOPressure \
         AssertMemoryPressure",
    ),
    (252, "ConditionCredential AssertCredential"),
    (255, "SurviveFinalKillSignal"),
    (256, "WantsMountsFor"),
];

const INSTALL: Rows = &[(0, "Alias Also DefaultInstance RequiredBy WantedBy"), (254, "UpheldBy")];

const SERVICE: Rows = &[
    (
        0,
        "BusName ExecReload ExecStart ExecStartPost ExecStartPre ExecStop ExecStopPost FileDescriptorStoreMax \
         GuessMainPID NonBlocking NotifyAccess PIDFile RemainAfterExit Restart RestartForceExitStatus \
         RestartPreventExitStatus RestartSec RootDirectoryStartOnly RuntimeMaxSec Sockets SuccessExitStatus TimeoutSec \
         TimeoutStartSec TimeoutStopSec Type WatchdogSec",
    ),
    (243, "ExecCondition OOMPolicy TimeoutAbortSec"),
    (246, "TimeoutStartFailureMode TimeoutStopFailureMode"),
    (250, "ExitType RuntimeRandomizedExtraSec"),
    (253, "OpenFile ReloadSignal"),
    (254, "FileDescriptorStorePreserve RestartMaxDelaySec RestartMode RestartSteps"),
];

const EXEC: Rows = &[
    (
        0,
        "BindPaths BindReadOnlyPaths MountAPIVFS RootDirectory RootImage WorkingDirectory \
         DynamicUser Group PAMName SupplementaryGroups User AmbientCapabilities CapabilityBoundingSet NoNewPrivileges \
         SecureBits AppArmorProfile SELinuxContext SmackProcessLabel IgnoreSIGPIPE KeyringMode LimitAS LimitCORE LimitCPU \
         LimitDATA LimitFSIZE LimitLOCKS LimitMEMLOCK LimitMSGQUEUE LimitNICE LimitNOFILE LimitNPROC LimitRSS \
         LimitRTPRIO LimitRTTIME LimitSIGPENDING LimitSTACK OOMScoreAdjust Personality TimerSlackNSec UMask CPUAffinity \
         CPUSchedulingPolicy CPUSchedulingPriority CPUSchedulingResetOnFork IOSchedulingClass IOSchedulingPriority Nice \
         CacheDirectory CacheDirectoryMode ConfigurationDirectory ConfigurationDirectoryMode InaccessiblePaths \
         LockPersonality LogsDirectory LogsDirectoryMode MemoryDenyWriteExecute MountFlags PrivateDevices PrivateMounts \
         PrivateNetwork PrivateTmp PrivateUsers ProtectControlGroups ProtectHome ProtectKernelModules \
         ProtectKernelTunables ProtectSystem ReadOnlyPaths ReadWritePaths RemoveIPC RestrictAddressFamilies \
         RestrictNamespaces RestrictRealtime RuntimeDirectory RuntimeDirectoryMode RuntimeDirectoryPreserve \
         StateDirectory StateDirectoryMode TemporaryFileSystem SystemCallArchitectures SystemCallErrorNumber \
         SystemCallFilter Environment EnvironmentFile PassEnvironment UnsetEnvironment LogExtraFields LogLevelMax \
         StandardError StandardInput StandardInputData StandardInputText StandardOutput SyslogFacility SyslogIdentifier \
         SyslogLevel SyslogLevelPrefix TTYPath TTYReset TTYVHangup TTYVTDisallocate UtmpIdentifier UtmpMode",
    ),
    (240, "LogRateLimitBurst LogRateLimitIntervalSec"),
    (242, "NetworkNamespacePath ProtectHostname RestrictSUIDSGID"),
    (243, "NUMAMask NUMAPolicy"),
    (244, "ProtectKernelLogs TimeoutCleanSec"),
    (245, "LogNamespace ProtectClock"),
    (246, "CoredumpFilter RootHash RootHashSignature RootVerity"),
    (247, "LoadCredential MountImages ProcSubset ProtectProc RootImageOptions SetCredential SystemCallLog"),
    (248, "ExecPaths ExtensionImages IPCNamespacePath NoExecPaths PrivateIPC"),
    (250, "ExecSearchPath LoadCredentialEncrypted RestrictFileSystems SetCredentialEncrypted TTYColumns TTYRows"),
    (251, "ExtensionDirectories"),
    (253, "LogFilterPatterns"),
    (254, "ExtensionImagePolicy ImportCredential MemoryKSM MountImagePolicy RootEphemeral RootImagePolicy"),
    (255, "SetLoginEnvironment"),
    (257, "BindLogSockets PrivatePIDs"),
    (258, "PrivateBPF"),
];

const KILL: Rows = &[
    (0, "KillMode KillSignal SendSIGHUP SendSIGKILL"),
    (240, "FinalKillSignal WatchdogSignal"),
    (244, "RestartKillSignal"),
];

const RESOURCES: Rows = &[
    (
        0,
        "CPUAccounting CPUQuota CPUWeight Delegate DeviceAllow DevicePolicy IOAccounting IODeviceWeight \
         IOReadBandwidthMax IOReadIOPSMax IOWeight IOWriteBandwidthMax IOWriteIOPSMax IPAccounting IPAddressAllow \
         IPAddressDeny MemoryAccounting MemoryHigh MemoryLow MemoryMax MemorySwapMax Slice StartupCPUWeight \
         StartupIOWeight TasksAccounting TasksMax",
    ),
    (240, "DisableControllers IODeviceLatencyTargetSec MemoryMin"),
    (242, "CPUQuotaPeriodSec"),
    (243, "IPEgressFilterPath IPIngressFilterPath"),
    (244, "AllowedCPUs AllowedMemoryNodes"),
    (247, "ManagedOOMMemoryPressure ManagedOOMMemoryPressureLimit ManagedOOMSwap"),
    (248, "ManagedOOMPreference"),
    (249, "BPFProgram SocketBindAllow SocketBindDeny"),
    (250, "RestrictNetworkInterfaces"),
    (
        252,
        "StartupAllowedCPUs StartupAllowedMemoryNodes StartupMemoryHigh StartupMemoryLow StartupMemoryMax \
         StartupMemorySwapMax",
    ),
    (253, "MemoryZSwapMax StartupMemoryZSwapMax"),
    (254, "DelegateSubgroup MemoryPressureThresholdSec MemoryPressureWatch"),
    (255, "CoredumpReceive NFTSet"),
    (256, "MemoryZSwapWriteback"),
    (257, "ManagedOOMMemoryPressureDurationSec"),
];

const SOCKET: Rows = &[
    (
        0,
        "Accept Backlog BindIPv6Only BindToDevice Broadcast DeferAcceptSec DirectoryMode ExecStartPost ExecStartPre \
         ExecStopPost ExecStopPre FileDescriptorName FreeBind IPTOS IPTTL KeepAlive KeepAliveIntervalSec KeepAliveProbes \
         KeepAliveTimeSec ListenDatagram ListenFIFO ListenMessageQueue ListenNetlink ListenSequentialPacket ListenSpecial \
         ListenStream Mark MaxConnections MaxConnectionsPerSource MessageQueueMaxMessages MessageQueueMessageSize NoDelay \
         PassCredentials PassSecurity PipeSize Priority ReceiveBuffer RemoveOnStop ReusePort SELinuxContextFromNet \
         SendBuffer Service SmackLabel SmackLabelIPIn SmackLabelIPOut SocketGroup SocketMode SocketProtocol SocketUser \
         Symlinks TCPCongestion TimeoutSec Transparent TriggerLimitBurst TriggerLimitIntervalSec Writable",
    ),
    (246, "PassPacketInfo"),
    (247, "FlushPending Timestamping"),
    (255, "PollLimitBurst PollLimitIntervalSec"),
    (256, "PassFileDescriptorsToExec"),
];

const TIMER: Rows = &[
    (
        0,
        "AccuracySec OnActiveSec OnBootSec OnCalendar OnStartupSec OnUnitActiveSec OnUnitInactiveSec Persistent \
         RandomizedDelaySec RemainAfterElapse Unit WakeSystem",
    ),
    (242, "OnClockChange OnTimezoneChange"),
    (247, "FixedRandomDelay"),
    (257, "DeferReactivation"),
    (258, "RandomizedOffsetSec"),
];

/// The sections of units that packhouse writes, and what each may hold.
const SECTIONS: &[(&str, &[Rows])] = &[
    ("Unit", &[UNIT]),
    ("Install", &[INSTALL]),
    ("Service", &[SERVICE, EXEC, KILL, RESOURCES]),
    ("Socket", &[SOCKET, EXEC, KILL, RESOURCES]),
    ("Timer", &[TIMER]),
];

/// The names of the sections.
pub(crate) fn sections() -> impl Iterator<Item = &'static str> {
    SECTIONS.iter().map(|(name, _)| *name)
}

/// The directives of a section.
pub(crate) fn names(section: &str) -> impl Iterator<Item = &'static str> + Clone + use<'_> {
    all(section).map(|(_, name)| name)
}

/// The systemd that brought a directive; `None` for one that there is not.
pub(crate) fn since(section: &str, directive: &str) -> Option<u32> {
    all(section).find(|(_, name)| *name == directive).map(|(version, _)| version)
}

fn all(section: &str) -> impl Iterator<Item = (u32, &'static str)> + Clone + use<'_> {
    let tables = SECTIONS.iter().filter(move |(name, _)| *name == section).flat_map(|(_, tables)| tables.iter());
    let rows = tables.flat_map(|rows| rows.iter());
    rows.flat_map(|(version, names)| names.split_whitespace().map(|name| (*version, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_directive_of_a_section_stands_twice() {
        for section in sections() {
            let mut all: Vec<&str> = names(section).collect();
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), count, "{section}");
        }
    }

    #[test]
    fn versions_are_those_of_the_manual_pages() {
        for (section, name, version) in [
            ("Service", "ProtectClock", Some(245)),
            ("Service", "RestrictSUIDSGID", Some(242)),
            ("Service", "ProtectProc", Some(247)),
            ("Service", "MemoryMax", Some(0)),
            ("Socket", "ListenStream", Some(0)),
            ("Timer", "Persistent", Some(0)),
            ("Timer", "MemoryMax", None),
            ("Service", "ExceStart", None),
            ("Mount", "What", None),
        ] {
            assert_eq!(since(section, name), version, "{section} {name}");
        }
    }

    /// systemd itself says "Unknown key name" of what it does not know.
    #[test]
    fn the_systemd_of_this_machine_knows_what_the_table_says_it_knows() {
        let Ok(output) = std::process::Command::new("systemd-analyze").arg("--version").output() else { return };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version: u32 = text.split_whitespace().nth(1).and_then(|word| word.parse().ok()).expect("a version");
        let directory = tempfile::tempdir().expect("a directory");
        for (section, kind) in [("Unit", "service"), ("Install", "service"), ("Service", "service"), ("Timer", "timer")]
        {
            let mut unit = format!("[{section}]\n");
            for name in names(section).filter(|name| since(section, name).is_some_and(|since| since <= version)) {
                unit.push_str(&format!("{name}=\n"));
            }
            let file = directory.path().join(format!("x-{}.{kind}", section.to_lowercase()));
            fs_err::write(&file, unit).expect("write");
            let output = std::process::Command::new("systemd-analyze")
                .args(["verify", "--man=no"])
                .arg(&file)
                .output()
                .expect("systemd-analyze");
            let said = String::from_utf8_lossy(&output.stderr);
            let unknown: Vec<&str> = said.lines().filter(|line| line.contains("Unknown key")).collect();
            assert!(unknown.is_empty(), "{section}: {unknown:?}");
        }
    }
}
