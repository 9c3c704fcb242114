namespace Skep.Network.Sockets;

/// <summary>Whether sockets of tasks find backends themselves, for people.</summary>
/// <param name="On">Otherwise packet rules balance everything.</param>
/// <param name="Reason">Where the programs are attached, or why they are not.</param>
public sealed record SocketBalancing(bool On, string Reason);
