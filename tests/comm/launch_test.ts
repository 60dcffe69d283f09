import { assertEquals } from "@std/assert";
import { launchOf } from "../../comm/launch.ts";
import { familyOf } from "../../comm/mpi_abi.ts";

const launch = (env: Record<string, string>) => launchOf((name) => env[name]);

Deno.test("a process learns rank and size from mpirun and srun", () => {
  assertEquals(launch({ OMPI_COMM_WORLD_RANK: "1", OMPI_COMM_WORLD_SIZE: "4" }), {
    rank: 1,
    size: 4,
    family: "Open MPI",
  });
  assertEquals(launch({ PMI_RANK: "0", PMI_SIZE: "2" }), { rank: 0, size: 2, family: "MPICH" });
  assertEquals(launch({ SLURM_PROCID: "3", SLURM_STEP_NUM_TASKS: "8", SLURM_NTASKS: "8" }), {
    rank: 3,
    size: 8,
    family: null,
  });
});

Deno.test("a process on its own, alone under mpirun, or in a batch script is no job", () => {
  assertEquals(launch({}), null);
  assertEquals(launch({ OMPI_COMM_WORLD_RANK: "0", OMPI_COMM_WORLD_SIZE: "1" }), null);
  assertEquals(launch({ SLURM_PROCID: "0", SLURM_NTASKS: "4" }), null);
  assertEquals(launch({ PMI_RANK: "x", PMI_SIZE: "2" }), null);
});

Deno.test("libraries are identified by the text of their version", () => {
  assertEquals(familyOf("Open MPI v4.1.4, package: Debian OpenMPI", "libmpi.so.40"), "Open MPI");
  assertEquals(familyOf("MPICH Version:\t4.0.2", "libmpich.so.12"), "MPICH");
  assertEquals(familyOf("Intel(R) MPI Library 2021.5 for Linux* OS", "libmpi.so.12"), "MPICH");
  assertEquals(familyOf("MVAPICH Version: 3.0", "libmpi.so.12"), "MPICH");
  assertEquals(familyOf("MPICH Version: 5.0.0", "/opt/lib/libmpi_abi.so.0"), "MPI-5 ABI");
  assertEquals(familyOf("Another MPI 1.0", "libmpi.so"), null);
});
