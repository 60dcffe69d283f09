/// <reference lib="dom" />
// Audio in a browser: files and the microphone, as the models take them.

/** Sample rate of the models, Hz. */
export const SAMPLE_RATE = 16_000;

/**
 * Decodes an audio file with the browser's decoders.
 *
 * @param bytes The file, in any format that the browser plays.
 * @returns The mean of its channels at 16 kHz.
 * @throws {DOMException} If the browser cannot decode it.
 */
export async function decode(bytes: ArrayBuffer): Promise<Float32Array> {
  const context = new OfflineAudioContext(1, 1, SAMPLE_RATE); // decodeAudioData resamples to its rate
  const audio = await context.decodeAudioData(bytes);
  const samples = new Float32Array(audio.length);
  for (let channel = 0; channel < audio.numberOfChannels; channel++) {
    const values = audio.getChannelData(channel);
    for (let i = 0; i < values.length; i++) samples[i]! += values[i]! / audio.numberOfChannels;
  }
  return samples;
}

/** A recording that runs. */
export interface Recording {
  /** Stops the microphone. @returns The recording, as a file. */
  stop(): Promise<Blob>;
}

/**
 * Starts to record from the microphone, after the browser asked the user.
 *
 * @throws {DOMException} If there is no microphone, or the user refuses.
 */
export async function record(): Promise<Recording> {
  const stream = await navigator.mediaDevices.getUserMedia({
    // Processing for calls makes speech recognition worse.
    audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  });
  const recorder = new MediaRecorder(stream);
  const parts: Blob[] = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise<void>((resolve) => recorder.onstop = () => resolve());
  recorder.start();
  return {
    async stop() {
      recorder.stop();
      await stopped;
      for (const track of stream.getTracks()) track.stop();
      return new Blob(parts, { type: recorder.mimeType });
    },
  };
}
