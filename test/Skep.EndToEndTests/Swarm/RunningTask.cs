namespace Skep.EndToEndTests.Swarm;

/// <param name="Node">The machine's number, from 1.</param>
/// <param name="Process">Its first process in the machine's process namespace.</param>
public sealed record RunningTask(string Id, int Slot, int Node, string Container, int Process);
