using Skep.ClassicTests.Uml;

namespace Skep.ClassicTests.Encryption;

/// <summary>A machine with time for each test on each data plane.</summary>
public sealed class EncryptionMachine() : UmlMachine(1024, TimeSpan.FromMinutes(25));
