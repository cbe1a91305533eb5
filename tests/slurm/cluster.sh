#!/usr/bin/env bash
# A Slurm cluster of one machine, this one, for the tests marked slurm: `cluster.sh up DIR` starts it and `cluster.sh
# down DIR` ends it; in between, SLURM_CONF=DIR/slurm.conf. It needs root and the programs of Debian's packages slurm-wlm
# and munge. The node says that it has 4 cores and 2 GPUs (device files that lead nowhere), and there is no accounting.
set -euo pipefail
what=${1:?up or down}
mkdir -p "${2:?a folder}"
dir=$(cd "$2" && pwd)
host=$(hostname -s)
port=$((20000 + $$ % 10000))

configure() {
    mkdir -p "$dir"/{state,spool,log}
    for gpu in 0 1; do
        [ -e "$dir/gpu$gpu" ] || mknod "$dir/gpu$gpu" c 195 $((200 + gpu))
    done
    echo "NodeName=$host Name=gpu File=$dir/gpu[0-1] Flags=nvidia_gpu_env" >"$dir/gres.conf"
    cat >"$dir/slurm.conf" <<CONF
ClusterName=tests
SlurmctldHost=$host(127.0.0.1)
AuthType=auth/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.log
SlurmctldPort=$port
SlurmdPort=$((port + 1))
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=5,bf_interval=5
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
JobRequeue=1
ReturnToService=2
KillWait=20
OverTimeLimit=0
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 RealMemory=4000 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
}

munge_runs() {
    munge -n </dev/null >/dev/null 2>&1 && return
    mkdir -p /run/munge /var/lib/munge /var/log/munge
    [ -f /etc/munge/munge.key ] || /usr/sbin/mungekey -c -f
    chown -R munge:munge /etc/munge /run/munge /var/lib/munge /var/log/munge
    chmod 700 /etc/munge && chmod 755 /run/munge
    su -s /bin/bash munge -c /usr/sbin/munged
}

case $what in
up)
    configure
    munge_runs
    export SLURM_CONF=$dir/slurm.conf
    slurmctld
    slurmd
    for _ in $(seq 60); do
        [ "$(sinfo -h -o %T 2>/dev/null)" = idle ] && exit 0
        sleep 0.5
    done
    echo "the node of the cluster is not idle after 30 seconds: see $dir/log" >&2
    exit 1
    ;;
down)
    for name in slurmd slurmctld; do
        [ -f "$dir/$name.pid" ] && kill "$(cat "$dir/$name.pid")" 2>/dev/null || true
    done
    ;;
*)
    echo "up or down" >&2
    exit 2
    ;;
esac
