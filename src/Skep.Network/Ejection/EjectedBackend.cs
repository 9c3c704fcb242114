namespace Skep.Network.Ejection;

/// <summary>A backend that this node sends nothing new to, for people.</summary>
/// <param name="Network">The network's name.</param>
/// <param name="Service">The service's name.</param>
/// <param name="TaskId">Whose task it is.</param>
/// <param name="Backend">Address, port and protocol; the address alone when its whole node is silent.</param>
/// <param name="Reason">The proof.</param>
/// <param name="Since">The first proof.</param>
/// <param name="NextTrial">When it is tried again; null = it is watched all the time.</param>
public sealed record EjectedBackend(string Network, string Service, string TaskId, string Backend, string Reason, DateTimeOffset Since, DateTimeOffset? NextTrial);
