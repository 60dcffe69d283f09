/**
 * MPI by foreign functions: the few operations of data-parallel training. Calls run in other threads, one at a time, so that
 * the event loop is free.
 *
 * @module
 */
import { printable } from "../files/printable.ts";
import type { Communicator, Reduction } from "./communicator.ts";
import type { Launch, MpiFamily } from "./launch.ts";
import {
  familyOf,
  LIBRARY_NAMES,
  MPICH_HANDLES,
  type MpiHandles,
  OPEN_MPI_SYMBOLS,
  STANDARD_HANDLES,
} from "./mpi_abi.ts";

/** Bytes of the buffers that MPI writes text into: at least MPI_MAX_LIBRARY_VERSION_STRING of every library. */
const TEXT_BYTES = 16_384;

/** RTLD_NOW | RTLD_GLOBAL: Open MPI's components look for symbols of the library among those of the process. */
const NOW_GLOBAL = 0x102;

/** Bytes of an MPI_Status, at least those of every library. */
const STATUS_BYTES = 128;

/** Milliseconds between tests whether all processes have reached a barrier. */
const POLL_MS = 2;

/** Largest number of elements of a call, an int. */
const MOST_ELEMENTS = 2 ** 31 - 1;

function symbolsFor(handle: "i32" | "usize") {
  return {
    MPI_Init_thread: { parameters: ["pointer", "pointer", "i32", "buffer"], result: "i32" },
    MPI_Comm_rank: { parameters: [handle, "buffer"], result: "i32" },
    MPI_Comm_size: { parameters: [handle, "buffer"], result: "i32" },
    MPI_Comm_set_errhandler: { parameters: [handle, handle], result: "i32" },
    MPI_Error_string: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
    MPI_Allreduce: {
      parameters: ["pointer", "buffer", "i32", handle, handle, handle],
      result: "i32",
      nonblocking: true,
    },
    MPI_Bcast: { parameters: ["buffer", "i32", handle, "i32", handle], result: "i32", nonblocking: true },
    MPI_Ibarrier: { parameters: [handle, "buffer"], result: "i32" },
    MPI_Test: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
    MPI_Abort: { parameters: [handle, "i32"], result: "i32" },
    MPI_Finalize: { parameters: [], result: "i32", nonblocking: true },
  } as const;
}

/** The functions of the library; handles are integers or addresses. */
interface MpiLibrary {
  readonly file: string;
  readonly family: MpiFamily;
  readonly handles: MpiHandles;
  readonly call: Deno.DynamicLibrary<ReturnType<typeof symbolsFor>>["symbols"];
}

/**
 * Joins the job: loads the library and initialises MPI.
 *
 * @param launch How the process was started.
 * @param path Path of the library; default: the usual names.
 * @throws {Error} If there is no library, it is not known, or it has another number of processes; one line.
 */
export function joinMpi(launch: Launch, path?: string): Communicator {
  const library = openLibrary(launch, path);
  const provided = new Int32Array(1);
  const { call, handles: { serialized } } = library;
  if (call.MPI_Init_thread(null, null, serialized, provided) !== 0) {
    throw new Error(`Cannot start MPI as ${library.file} must initialise: MPI_Init_thread failed`);
  }
  if (provided[0]! < serialized) {
    throw new Error(
      `Cannot start MPI as calls must be allowed in every thread: ${library.file} does not allow it`,
    );
  }
  return new MpiCommunicator(library, launch);
}

function openLibrary({ family }: Launch, path: string | undefined): MpiLibrary {
  const preferred = family ? [family, "MPI-5 ABI" as const] : Object.keys(LIBRARY_NAMES) as MpiFamily[];
  const files = path === undefined ? preferred.flatMap((name) => LIBRARY_NAMES[name]) : [path];
  for (const file of files) {
    let version;
    try {
      version = libraryVersion(file);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      continue; // not on this machine
    }
    const found = familyOf(version, file);
    if (!found) {
      throw new Error(
        `Cannot start MPI as the library must be Open MPI, MPICH or of the MPI-5 ABI: ${printable(version)}`,
      );
    }
    const handles = found === "MPICH"
      ? MPICH_HANDLES
      : found === "Open MPI"
      ? openMpiHandles(file)
      : STANDARD_HANDLES;
    const { symbols } = Deno.dlopen(file, symbolsFor(handles.type));
    return { file, family: found, handles, call: symbols as MpiLibrary["call"] };
  }
  const rule = path === undefined
    ? `one of ${files.join(", ")} must be installed`
    : "ESPALIER_MPI must be a library";
  throw new Error(
    `Cannot start MPI as ${rule}: ${path === undefined ? "set ESPALIER_MPI to its path" : path}`,
  );
}

function libraryVersion(file: string): string {
  const { symbols } = Deno.dlopen(file, {
    MPI_Get_library_version: { parameters: ["buffer", "buffer"], result: "i32" },
  });
  const [text, length] = [new Uint8Array(TEXT_BYTES), new Int32Array(1)];
  symbols.MPI_Get_library_version(text, length);
  return new TextDecoder().decode(text.subarray(0, length[0])).trim();
}

/** Addresses of Open MPI's symbols, which Deno's own statics do not give. */
function openMpiHandles(file: string): MpiHandles {
  const { symbols: { dlopen, dlsym } } = Deno.dlopen(
    Deno.build.os === "darwin" ? "libSystem.dylib" : "libc.so.6",
    {
      dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
      dlsym: { parameters: ["pointer", "buffer"], result: "pointer" },
    },
  );
  const cString = (text: string) => new TextEncoder().encode(`${text}\0`);
  const library = dlopen(cString(file), NOW_GLOBAL);
  const address = (name: string) => {
    const pointer = dlsym(library, cString(name));
    if (pointer === null) throw new Error(`Cannot start MPI as ${file} must have ${name}: it has not`);
    return Deno.UnsafePointer.value(pointer);
  };
  const { world, float, double, sum, max, errorsReturn } = OPEN_MPI_SYMBOLS;
  return {
    type: "usize",
    world: address(world),
    float: address(float),
    double: address(double),
    sum: address(sum),
    max: address(max),
    errorsReturn: address(errorsReturn),
    inPlace: 1n,
    serialized: 2,
  };
}

/** All processes of the job. */
class MpiCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly name: string;
  readonly #library: MpiLibrary;
  /** The call before. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(library: MpiLibrary, launch: Launch) {
    this.#library = library;
    const { call, handles } = library;
    const value = new Int32Array(1);
    this.#check(
      "MPI_Comm_set_errhandler",
      call.MPI_Comm_set_errhandler(handles.world as never, handles.errorsReturn as never),
    );
    this.#check("MPI_Comm_rank", call.MPI_Comm_rank(handles.world as never, value));
    this.rank = value[0]!;
    this.#check("MPI_Comm_size", call.MPI_Comm_size(handles.world as never, value));
    this.size = value[0]!;
    this.name = `${library.family} (${library.file})`;
    if (this.size === launch.size) return;
    throw new Error(
      `Cannot start MPI as ${this.name} must have the ${launch.size} processes of the job: it has ${this.size}; ` +
        "start them with its own mpirun, or with srun --mpi=pmix",
    );
  }

  async allReduce(
    values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>,
    reduction: Reduction,
  ): Promise<void> {
    const { call, handles } = this.#library;
    checkLength(values);
    const type = values instanceof Float32Array ? handles.float : handles.double;
    const inPlace = Deno.UnsafePointer.create(handles.inPlace);
    await this.#serially(
      "MPI_Allreduce",
      () =>
        call.MPI_Allreduce(
          inPlace,
          values,
          values.length,
          type as never,
          handles[reduction] as never,
          handles.world as never,
        ),
    );
  }

  async broadcast(values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>): Promise<void> {
    const { call, handles } = this.#library;
    checkLength(values);
    const type = values instanceof Float32Array ? handles.float : handles.double;
    await this.#serially(
      "MPI_Bcast",
      () => call.MPI_Bcast(values, values.length, type as never, 0, handles.world as never),
    );
  }

  async barrier(): Promise<void> {
    const { call, handles } = this.#library;
    // Not MPI_Barrier: a process that waits in the library takes a CPU, and an evaluation takes minutes.
    await this.#serially("MPI_Ibarrier", async () => {
      const [request, done, status] = [
        new BigUint64Array(1),
        new Int32Array(1),
        new Uint8Array(STATUS_BYTES),
      ];
      for (
        let code = call.MPI_Ibarrier(handles.world as never, request);;
        code = call.MPI_Test(request, done, status)
      ) {
        if (code !== 0 || done[0] !== 0) return code;
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    });
  }

  abort(status: number): void {
    const { call, handles } = this.#library;
    call.MPI_Abort(handles.world as never, status);
  }

  async close(): Promise<void> {
    await this.#serially("MPI_Finalize", () => this.#library.call.MPI_Finalize());
  }

  /** Starts a call after the one before has ended. */
  async #serially(name: string, call: () => Promise<number>): Promise<void> {
    const result = this.#last.then(call);
    this.#last = result.catch(() => {});
    this.#check(name, await result);
  }

  #check(name: string, code: number): void {
    if (code === 0) return;
    const [text, length] = [new Uint8Array(TEXT_BYTES), new Int32Array(1)];
    this.#library.call.MPI_Error_string(code, text, length);
    const why = printable(new TextDecoder().decode(text.subarray(0, length[0])));
    throw new Error(`${name} failed on rank ${this.rank} (${Deno.hostname()}): ${why}`);
  }
}

function checkLength({ length }: { readonly length: number }): void {
  if (length > MOST_ELEMENTS) {
    throw new RangeError(
      `Cannot send as a message must have at most ${MOST_ELEMENTS} elements: it has ${length}`,
    );
  }
}
