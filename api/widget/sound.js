/** A short soft tone for a new message while the chat is not being looked at; off until asked for. */

let audio = null;

export function tone() {
  audio ??= new AudioContext();
  const [start, length] = [audio.currentTime, 0.35];
  const volume = audio.createGain();
  volume.gain.setValueAtTime(0.0001, start);
  volume.gain.exponentialRampToValueAtTime(0.12, start + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0001, start + length);
  volume.connect(audio.destination);
  for (const [pitch, delay] of [[660, 0], [880, 0.09]]) {
    const voice = audio.createOscillator();
    voice.frequency.value = pitch;
    voice.connect(volume);
    voice.start(start + delay);
    voice.stop(start + length);
  }
}
