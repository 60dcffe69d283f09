// The binary interfaces of MPI libraries: names of files, and the values that stand for communicators, types and operations.
import type { MpiFamily } from "./launch.ts";

/** Values of handles, as arguments of foreign functions: integers for MPICH, addresses for the others. */
export interface MpiHandles {
  /** Type of a handle in the foreign functions. */
  readonly type: "i32" | "usize";
  readonly world: number | bigint;
  readonly float: number | bigint;
  readonly double: number | bigint;
  readonly sum: number | bigint;
  readonly max: number | bigint;
  readonly errorsReturn: number | bigint;
  /** Address that stands for "the send buffer is the receive buffer". */
  readonly inPlace: bigint;
  /** Level of threads: any thread may call, one at a time. */
  readonly serialized: number;
}

/** File names of the libraries of a family, as the loader finds them. */
export const LIBRARY_NAMES: Readonly<Record<MpiFamily, readonly string[]>> = {
  "Open MPI": ["libmpi.so.40", "libmpi.so.80", "libmpi.40.dylib"],
  "MPICH": ["libmpi.so.12", "libmpich.so.12", "libmpi_cray.so.12", "libmpi.12.dylib"],
  "MPI-5 ABI": ["libmpi_abi.so.1", "libmpi_abi.so.0", "libmpi_abi.so"],
};

/** Symbols of Open MPI whose addresses are its handles. */
export const OPEN_MPI_SYMBOLS = {
  world: "ompi_mpi_comm_world",
  float: "ompi_mpi_float",
  double: "ompi_mpi_double",
  sum: "ompi_mpi_op_sum",
  max: "ompi_mpi_op_max",
  errorsReturn: "ompi_mpi_errors_return",
} as const;

/** MPICH and those of its interface: Intel MPI, MVAPICH, Cray MPICH. From its mpi.h. */
export const MPICH_HANDLES: MpiHandles = {
  type: "i32",
  world: 0x44000000,
  float: 0x4c00040a,
  double: 0x4c00080b,
  sum: 0x58000003,
  max: 0x58000001,
  errorsReturn: 0x54000001,
  inPlace: 0xffff_ffff_ffff_ffffn,
  serialized: 2,
};

/** The standard interface of MPI 5.0, chapter 20. */
export const STANDARD_HANDLES: MpiHandles = {
  type: "usize",
  world: 0x101,
  float: 0x210,
  double: 0x214,
  sum: 0x21,
  max: 0x23,
  errorsReturn: 0x142,
  inPlace: 1n,
  serialized: 2048,
};

/**
 * The family of a library, by the text of `MPI_Get_library_version`.
 *
 * @param version The text.
 * @param file Name of the library's file: that of the standard interface is the same for all implementations.
 * @returns Null for a library that is not known.
 */
export function familyOf(version: string, file: string): MpiFamily | null {
  if (/libmpi_abi\b/.test(file)) return "MPI-5 ABI";
  if (/Open MPI/i.test(version)) return "Open MPI";
  return /MPICH|Intel\(R\) MPI|MVAPICH/i.test(version) ? "MPICH" : null;
}
