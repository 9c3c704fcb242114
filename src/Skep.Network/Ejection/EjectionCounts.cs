namespace Skep.Network.Ejection;

/// <summary>How often a port of a backend was left out, and how often one came back, since the daemon's start.</summary>
public readonly record struct EjectionCounts(long Ejections, long Returns);
