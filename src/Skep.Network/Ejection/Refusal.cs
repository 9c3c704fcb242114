namespace Skep.Network.Ejection;

/// <summary>A backend's port that refused. Times are counted from the ejector's start.</summary>
/// <param name="Since">The first proof.</param>
/// <param name="NextTrial">When it is tried again.</param>
/// <param name="Out">Nothing new is sent there. A port of UDP that is on trial is in again until it refuses.</param>
internal sealed record Refusal(TimeSpan Since, TimeSpan NextTrial, bool Out = true);
