namespace Skep.Network.Ejection;

/// <summary>What a packet says about the backend's port that it comes from.</summary>
internal sealed record Sign(BackendPort Port, bool Answers);
