// Hosts for jobs: network namespaces of this machine, joined by a bridge. They need root.

/** A shell script that makes hosts 1 to 4; $1: prefix of their names, $2: first three numbers of their addresses. */
const MAKE = `
set -e
ip link add $1 type bridge
ip addr add $2.254/24 dev $1
ip link set $1 up
for i in 1 2 3 4; do
  ip netns add $1-$i
  ip link add $1$i type veth peer name eth0 netns $1-$i
  ip link set $1$i master $1 up
  ip -n $1-$i addr add $2.$i/24 dev eth0
  ip -n $1-$i link set eth0 up
  ip -n $1-$i link set lo up
done`;

/** Removes the hosts of processes that were killed: their addresses would be taken. */
const REMOVE_OLD = `
for name in $(ip netns list | sed -n "s/^\\(esp[0-9]*\\)-1\\b.*/\\1/p"); do
  [ -d /proc/\${name#esp} ] && continue
  for i in 1 2 3 4; do ip netns del $name-$i; done
  ip link del $name
done`;

const REMOVE = `for i in 1 2 3 4; do ip netns del $1-$i; done; ip link del $1`;

/** In place of ssh: runs the command of a host in its namespace, under a host name of its own. */
const agent = (prefix: string) =>
  `#!/bin/sh
n=\${1##*.}
shift
exec ip netns exec ${prefix}-$n unshare -u sh -c "hostname node$n; $*"
`;

/** Hosts that exist until they are disposed. */
export interface Hosts extends AsyncDisposable {
  /** Words of Open MPI's mpirun that start one process on each. */
  readonly words: readonly string[];
  readonly count: number;
}

async function sh(script: string, ...args: string[]): Promise<boolean> {
  const command = new Deno.Command("sh", {
    args: ["-c", script, "sh", ...args],
    stdout: "null",
    stderr: "null",
  });
  return (await command.output()).success;
}

/** Makes four hosts. Null where that is not allowed. @param folder Folder for the agent. */
export async function makeHosts(folder: string): Promise<Hosts | null> {
  const prefix = `esp${Deno.pid}`;
  const network = `10.${128 + (Deno.pid >> 8) % 64}.${Deno.pid % 256}`;
  const remove = () => sh(REMOVE, prefix);
  await sh(REMOVE_OLD);
  if (!await sh(MAKE, prefix, network)) {
    await remove();
    return null;
  }
  await Deno.writeTextFile(`${folder}/agent`, agent(prefix), { mode: 0o755 });
  const subnet = `${network}.0/24`;
  const settings = {
    plm_rsh_agent: `${folder}/agent`,
    btl_tcp_if_include: subnet,
    oob_tcp_if_include: subnet,
  };
  return {
    words: [
      ...Object.entries(settings).flatMap(([name, value]) => ["--mca", name, value]),
      "--host",
      [1, 2, 3, 4].map((n) => `${network}.${n}`).join(),
    ],
    count: 4,
    async [Symbol.asyncDispose]() {
      await remove();
    },
  };
}
