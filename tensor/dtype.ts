/** Element type of a tensor. Operands and results of GEMMs may be f16; all else computes with f32. */
export type DType = "f32" | "f16" | "i32";

/** Types of what GEMMs read and write. */
export type FloatType = Exclude<DType, "i32">;

/** Bytes of an element. */
export const elementBytes = (dtype: DType): number => dtype === "f16" ? 2 : 4;

/** Elements of a tensor on the host, those of f16 as f32. */
export type TensorData = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
